// The transport lab.

export const shots = [
  {
    name: 'lab',
    async draw({ page, url }) {
      await page.goto(`${url}/lab`);
    },
  },
];
