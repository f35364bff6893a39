// Draws the gong as a PNG: brass rim on a vermilion face, so that no picture has to be kept in the repository.
import { crc32, deflateSync } from 'node:zlib'

// icon returns a PNG, size x size px. A maskable one keeps the gong inside the inner 80 % that no mask cuts away.
export function icon(size, maskable) {
  const raw = Buffer.alloc((size * 4 + 1) * size)
  const scale = maskable ? 0.72 : 0.94
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) raw.set(pixel(x, y, size, scale, maskable), y * (size * 4 + 1) + 1 + x * 4)
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header(size)), chunk('IDAT', deflateSync(raw, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

const paper = [246, 242, 234], brass = [214, 154, 53], rim = [140, 92, 20], face = [183, 29, 21], deep = [143, 21, 14], light = [255, 226, 184]

// Rings from the middle outwards: radius as a share of the half size, and the colour inside it.
const rings = [[0.1, light], [0.18, face], [0.22, light], [0.5, face], [0.56, light], [0.8, face], [0.84, deep], [0.97, brass], [1, rim]]

function pixel(x, y, size, scale, maskable) {
  const sum = [0, 0, 0, 0], n = 3
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
    const r = Math.hypot((x + (i + 0.5) / n) * 2 / size - 1, (y + (j + 0.5) / n) * 2 / size - 1) / scale
    const c = rings.find(([to]) => r <= to)?.[1] ?? (maskable ? paper : undefined)
    if (c) { sum[3] += 255; for (let k = 0; k < 3; k++) sum[k] += c[k] }
  }
  const hits = sum[3] / 255 || 1
  return [sum[0] / hits, sum[1] / hits, sum[2] / hits, sum[3] / (n * n)].map(Math.round)
}

function header(size) {
  const h = Buffer.alloc(13)
  h.writeUInt32BE(size, 0); h.writeUInt32BE(size, 4); h[8] = 8; h[9] = 6
  return h
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]), out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0); body.copy(out, 4); out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}
