// Encrypts the password for the server (RSA-OAEP with SHA-256) where the connection itself is not encrypted.
// Browsers offer their own cryptography over HTTPS only, where none of this is needed.
"use strict";
(() => {
  const EXPONENT = 65537n;
  const HASH = 32;

  const form = document.querySelector("form[data-modulus]");
  if (form === null || form.dataset.modulus === "") return;
  const password = form.elements.namedItem("password");
  const modulus = BigInt(`0x${form.dataset.modulus}`);
  const size = form.dataset.modulus.length / 2;

  const rotate = (word, count) => (word >>> count) | (word << (32 - count));

  // The fractional parts of square roots and cube roots of the first primes, as FIPS 180-4 says.
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const root = (n, power) => {
    let low = 0n;
    let high = 1n << 37n;
    const wanted = BigInt(n) << BigInt(32 * power);
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (middle ** BigInt(power) <= wanted) low = middle;
      else high = middle;
    }
    return Number(low & 0xffffffffn) | 0;
  };
  const START = primes.slice(0, 8).map((prime) => root(prime, 2));
  const ROUND = primes.map((prime) => root(prime, 3));

  function sha256(bytes) {
    const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 4, bytes.length * 8);
    const state = [...START];
    const w = new Int32Array(64);
    for (let at = 0; at < padded.length; at += 64) {
      for (let i = 0; i < 64; i += 1) {
        if (i < 16) {
          w[i] = view.getInt32(at + 4 * i);
          continue;
        }
        const before = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
        const behind = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
        w[i] = w[i - 16] + before + w[i - 7] + behind;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i += 1) {
        const choice = (e & f) ^ (~e & g);
        const first = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + ROUND[i] + w[i]) | 0;
        const majority = (a & b) ^ (a & c) ^ (b & c);
        const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => {
        state[i] = (state[i] + word) | 0;
      });
    }
    const hash = new DataView(new ArrayBuffer(HASH));
    state.forEach((word, i) => {
      hash.setInt32(4 * i, word);
    });
    return new Uint8Array(hash.buffer);
  }

  function masked(bytes, seed) {
    const input = new Uint8Array(seed.length + 4);
    input.set(seed);
    return bytes.map((byte, i) => {
      if (i % HASH === 0) {
        new DataView(input.buffer).setUint32(seed.length, i / HASH);
        masked.block = sha256(input);
      }
      return byte ^ masked.block[i % HASH];
    });
  }

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

  function raised(number) {
    let result = 1n;
    let factor = number;
    for (let left = EXPONENT; left > 0n; left >>= 1n) {
      if (left & 1n) result = (result * factor) % modulus;
      factor = (factor * factor) % modulus;
    }
    return result;
  }

  function encrypted(piece) {
    const seed = crypto.getRandomValues(new Uint8Array(HASH));
    const data = new Uint8Array(size - HASH - 1);
    data.set(sha256(new Uint8Array(0)));
    data[data.length - piece.length - 1] = 1;
    data.set(piece, data.length - piece.length);
    const hidden = masked(data, seed);
    const block = hex(masked(seed, hidden)) + hex(hidden);
    return raised(BigInt(`0x${block}`))
      .toString(16)
      .padStart(2 * size, "0");
  }

  const field = document.createElement("input");
  field.type = "hidden";
  form.append(field);

  form.addEventListener("submit", () => {
    const bytes = new TextEncoder().encode(password.value);
    const most = size - 2 * HASH - 2;
    let text = "";
    for (let at = 0; at < bytes.length; at += most) text += encrypted(bytes.slice(at, at + most));
    field.name = "encrypted";
    field.value = text;
    password.removeAttribute("name");
  });

  // Who comes back with the browser's arrow finds the form as it was left.
  addEventListener("pageshow", () => {
    field.removeAttribute("name");
    password.name = "password";
  });
})();
