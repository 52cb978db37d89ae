// The transport lab at work: all connected, at a rate that fills the plot, and after a break.

const figure = (page, lane, name) => page.locator(`[data-lane="${lane}"] [data-figure="${name}"]`).first();

// Waits until each of the three has received so many.
async function untilReceived(page, count) {
  for (const lane of ['sse', 'ws', 'poll']) {
    const element = await figure(page, lane, 'received').elementHandle();
    await page.waitForFunction(([shown, least]) => Number(shown.textContent.replaceAll(',', '')) >= least, [element, count], { timeout: 60_000 });
  }
}

async function work({ page, url }) {
  await page.goto(`${url}/lab?topic=lab`);
  await page.getByLabel('A message every').selectOption('100');
  await page.getByRole('button', { name: 'Connect all', exact: true }).click();
  await untilReceived(page, 120);
  await page.getByRole('button', { name: 'Break them all' }).click();
  await page.getByRole('table', { name: 'The last break' }).waitFor({ timeout: 60_000 });
  await untilReceived(page, 260);
  await page.evaluate(() => scrollTo(0, 0));
}

async function twelve({ page, url }) {
  await work({ page, url });
  await page.getByRole('button', { name: 'Open twelve streams' }).click();
  await page.getByRole('table', { name: /Twelve streams over/ }).waitFor({ timeout: 60_000 });
  await page.evaluate(() => scrollTo(0, document.getElementById('title-break').getBoundingClientRect().top + scrollY - 20));
}

export const shots = [
  { name: 'lab', size: { width: 1280, height: 1280 }, draw: work },
  { name: 'lab-experiments', size: { width: 1280, height: 1000 }, draw: twelve },
];
