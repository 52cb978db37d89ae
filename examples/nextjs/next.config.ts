import type { NextConfig } from 'next';

const config: NextConfig = {
  reactStrictMode: true, // the default; `npm run dev` mounts everything twice, which finds a clean-up that is forgotten
  turbopack: { root: import.meta.dirname }, // whatever locks lie in the folders above
};

export default config;
