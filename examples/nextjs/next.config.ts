import type { NextConfig } from 'next';

const config: NextConfig = {
  // Next would compress answers, and in doing so hold back what is streamed. Leave compression to the proxy in front.
  compress: false,
  turbopack: { root: import.meta.dirname },
};

export default config;
