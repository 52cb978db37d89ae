// Tokens for tests, signed with Node's own cryptography.

import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { keepPrivateKey, keepSecret, keepToken } from './secrets.mjs';

export const secret = keepSecret('only the tests know this secret of more than thirty-two bytes', 'the secret of tokens');

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

// A token with these claims; `key` signs it in the way that `alg` says. The header may be anything.
export function token(claims, { alg = 'HS256', key = secret, header = {} } = {}) {
  const text = `${encode({ alg, typ: 'JWT', ...header })}.${encode(claims)}`;
  const hash = `sha${alg.slice(-3)}`;
  const signature = alg.startsWith('HS') ? createHmac(hash, key).update(text).digest()
    : alg.startsWith('ES') ? sign(hash, text, { key, dsaEncoding: 'ieee-p1363' })
    : sign(alg === 'EdDSA' ? null : hash, text, key);
  return keepToken(`${text}.${signature.toString('base64url')}`);
}

// The claims of somebody who may listen and publish.
export function rights(subscribe = [], publish = [], more = {}) {
  return { freshet: { subscribe, publish }, ...more };
}

export const bearer = (text) => ({ authorization: `Bearer ${text}` });

// A pair of keys: the private one for `token`, the public one as PEM and as a JSON Web Key.
export function keyPair(type, options) {
  const { privateKey, publicKey } = generateKeyPairSync(type, options);
  keepPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return {
    privateKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }),
    jwk: publicKey.export({ format: 'jwk' }),
  };
}
