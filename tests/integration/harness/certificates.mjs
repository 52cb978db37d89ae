// Certificates for tests, made by the openssl command in a folder that goes with the test.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keepPrivateKey } from './secrets.mjs';

export function folder(t) {
  const made = mkdtempSync(path.join(tmpdir(), 'freshet-tls-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function openssl(...args) {
  return execFileSync('openssl', args, { stdio: 'pipe', encoding: 'utf8' });
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

// A certificate for these names, signed by itself or by `ca`: { cert, key } are its files, `pem` the certificate.
export function certificate(dir, name, { names = ['localhost'], ca } = {}) {
  const cert = path.join(dir, `${name}.pem`);
  const key = path.join(dir, `${name}.key`);
  const alternatives = `subjectAltName=IP:127.0.0.1,${names.map((each) => `DNS:${each}`).join(',')}`;
  const request = ['req', ...newKey, '-keyout', key, '-subj', `/CN=${names[0]}`, '-addext', alternatives];
  if (ca) {
    const csr = path.join(dir, `${name}.csr`);
    openssl(...request, '-out', csr);
    openssl('x509', '-req', '-in', csr, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '2', '-out', cert);
  } else {
    openssl(...request, '-x509', '-days', '2', '-out', cert);
  }
  keepPrivateKey(readFileSync(key, 'utf8'));
  return { cert, key, pem: readFileSync(cert, 'utf8') };
}

// Puts the certificate and key of one pair into the files of another.
export function replace(target, source) {
  writeFileSync(target.cert, readFileSync(source.cert));
  writeFileSync(target.key, readFileSync(source.key));
  assert.ok(statSync(target.cert).size > 0);
}

// What serve() takes for a server with this certificate: its arguments and its options.
export function tlsServer(pair, ...args) {
  return [['--tls-cert', pair.cert, '--tls-key', pair.key, ...args], { secure: { ca: pair.pem, servername: 'localhost' } }];
}
