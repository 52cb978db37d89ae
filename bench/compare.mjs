#!/usr/bin/env node
// The same loads on freshet and on what else is installed, one worker each, in turns: nginx with Nchan (Debian's nginx
// and libnginx-mod-nchan) and Pushpin (Debian's pushpin). What is not installed is skipped, by name.
//
// usage: bench/compare.mjs [--short] [--only LOAD]
//   NGINX_PROGRAM, NCHAN_MODULE, PUSHPIN   where they are, if not where Debian puts them

import { benchOnce, machine, markdown, median, nchanPrograms, number, pushpinProgram, startFreshet, startNchan, startPushpin } from './lab.mjs';

const short = process.argv.includes('--short');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const time = ['--warmup', '1s', '--duration', short ? '2s' : '10s'];
const turns = short ? 1 : 3;

const servers = [['freshet', startFreshet]];
const absent = [];
const remarks = [];
for (const [name, found, start] of [['Nchan', nchanPrograms(), startNchan], ['Pushpin', pushpinProgram(), startPushpin]]) {
  if (found) {
    servers.push([name, start]);
  } else {
    absent.push(name);
  }
}

// Loads, and the figures of their reports that matter: name, report field, digits, and whether less is better.
const loads = {
  light: [['--subscribers', '1000', '--rate', '50', ...time], [
    ['CPU per delivery, 1,000 listeners, us', 'cpu_us_per_delivery', 2, true],
    ['p99 latency, ms', (report) => report.latency_us.p99 / 1000, 1, true]]],
  wide: [['--subscribers', '10000', '--rate', '5', ...time], [
    ['CPU per delivery, 10,000 listeners, us', 'cpu_us_per_delivery', 2, true],
    ['p99 latency, ms', (report) => report.latency_us.p99 / 1000, 1, true],
    ['memory per listener, bytes', 'bytes_per_listener', 0, true],
    ['CPU per new listener, us', 'cpu_us_per_connect', 1, true],
    ['new listeners a second', 'connects_per_s', 0, false]]],
  saturated: [['--subscribers', '1000', '--rate', '0', '--publishers', '32', ...time], [
    ['deliveries a second, saturated', 'deliveries_per_s', 0, false],
    ['CPU per delivery, us', 'cpu_us_per_delivery', 3, true]]],
  topics: [['--subscribers', '10000', '--topics', '10000', '--rate', '2000', '--publishers', '4', ...time], [
    ['CPU per event, 10,000 topics, us', 'cpu_us_per_publish', 1, true]]],
};

// What was not delivered was not measured.
const valueOf = (report, field) => (report.deliveries === 0 ? NaN : typeof field === 'function' ? field(report) : report[field]);

// Pushpin takes 20 seconds for 10,000 listeners, so the short form leaves it out of what needs them.
const tooLong = (server, name) => short && server === 'Pushpin' && ['wide', 'topics'].includes(name);

async function runLoad(name, args) {
  const reports = servers.map(() => []);
  for (let turn = 0; turn < turns; turn++) {
    for (const [place, [server, start]] of servers.entries()) {
      if (tooLong(server, name)) {
        continue;
      }
      try {
        const report = await benchOnce(start, args);
        reports[place].push(report);
        if (!report.flawless) {
          remarks.push(`${server}, ${name}: ${report.listening} listening, ${report.missing} missing, ${report.late} late, ` +
            `${report.duplicates} twice, ${report.refused_events} refused, ${report.closed_connections} closed`);
        }
      } catch (error) {
        remarks.push(`${server}, ${name}: ${error.message}`);
      }
    }
  }
  return reports;
}

const about = machine();
const rows = [];
for (const [name, [args, figures]] of Object.entries(loads)) {
  if (!name.startsWith(only)) {
    continue;
  }
  const reports = await runLoad(name, args);
  for (const [what, field, digits, less] of figures) {
    const values = reports.map((each) => (each.length ? median(each.map((report) => valueOf(report, field) ?? NaN).filter(Number.isFinite)) : NaN));
    const ratios = values.slice(1).map((value) => (less ? value / values[0] : values[0] / value));
    rows.push([what, ...values.map((value) => number(value, digits)), ...ratios.map((ratio) => (Number.isFinite(ratio) ? `${number(ratio, 2)} x` : '–'))]);
  }
}
console.log(`## Side by side\n\n${about}\n`);
console.log(markdown(['what', ...servers.map(([name]) => name), ...servers.slice(1).map(([name]) => `freshet is better than ${name} by`)], rows));
absent.forEach((name) => console.log(`\n${name} is not installed here, so it is not in the table.`));
if (remarks.length) {
  console.log(`\nNot flawless:\n\n${remarks.map((remark) => `- ${remark}`).join('\n')}`);
}
