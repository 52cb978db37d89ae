// The console.

export const shots = [
  {
    name: 'console',
    async draw({ page, url }) {
      await page.goto(url);
    },
  },
];
