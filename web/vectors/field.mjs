// Arithmetic on the two curves, for vectors about keys that no key generator makes.
export const P = 2n ** 255n - 19n;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (x) => ((x % P) + P) % P;

export function power(base, exponent) {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) {
    if (e & 1n) result = mod(result * b);
  }
  return result;
}

const isSquare = (x) => power(x, (P - 1n) / 2n) !== P - 1n;
const D = mod(-121665n * power(121666n, P - 2n));

/** Whether edwards25519 has a point with this y. */
export const onEdwards = (y) => isSquare(mod((y * y - 1n) * (D * y * y + 1n)));

/** Whether this u is on curve25519 itself, not on its twist. */
export const onMontgomery = (u) => isSquare(mod(u * u * u + 486662n * u * u + u));

export function littleEndian(value, size = 32) {
  const bytes = new Uint8Array(size);
  for (let i = 0, rest = value; i < size; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

export const fromLittleEndian = (bytes) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
