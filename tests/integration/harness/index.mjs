export * from './api.mjs';
export * from './certificates.mjs';
export * from './disk.mjs';
export * from './env.mjs';
export * from './process.mjs';
export * from './socket.mjs';
export * from './sse.mjs';
export * from './tokens.mjs';
