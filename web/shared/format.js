// Figures for people: short, and of one width, so that they can be compared at a glance.

const thousands = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const none = '–';

// 12,345
export const count = (value) => (Number.isFinite(value) ? thousands.format(value) : none);

// 12.3K: where there is little room.
export const compact = (value) => (Number.isFinite(value) ? short.format(value) : none);

// Per second: one decimal while it is small.
export function rate(value) {
  if (!Number.isFinite(value)) {
    return none;
  }
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

export function bytes(value) {
  if (!Number.isFinite(value)) {
    return none;
  }
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit && value < 100 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

// Milliseconds, from 0.05 ms to days.
export function duration(ms) {
  if (!Number.isFinite(ms)) {
    return none;
  }
  if (ms === 0) {
    return '0 ms';
  }
  if (ms < 1000) {
    return `${ms < 10 ? ms.toFixed(ms < 1 ? 2 : 1) : Math.round(ms)} ms`;
  }
  const seconds = ms / 1000;
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const at = parts.findIndex(([size]) => seconds >= size);
  const [size, name] = parts[at];
  const rest = parts[at + 1] && Math.floor((seconds % size) / parts[at + 1][0]);
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${parts[at + 1][1]}` : ''}`;
}

// How long ago; what has only just been is now.
export const ago = (ms) => (ms < 1000 ? 'now' : `${duration(ms)} ago`);

// The time of day of milliseconds since 1970, as the place of the reader has it.
export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB', { hour12: false });
