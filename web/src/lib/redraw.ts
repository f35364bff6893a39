// A picture is drawn anew before it leaves the phone: pixels only, at most 2048 a side. The server does the same once more.
const side = 2048, quality = 0.82

export async function redraw(file: Blob): Promise<Blob> {
  const img = await createImageBitmap(file)
  try {
    const k = Math.min(1, side / Math.max(img.width, img.height)), c = document.createElement('canvas')
    c.width = Math.max(1, Math.round(img.width * k)); c.height = Math.max(1, Math.round(img.height * k))
    const g = c.getContext('2d')!
    g.fillStyle = '#fff'; g.fillRect(0, 0, c.width, c.height)
    g.drawImage(img, 0, 0, c.width, c.height)
    return await new Promise((ok, no) => c.toBlob((b) => (b ? ok(b) : no(new Error('no picture'))), 'image/jpeg', quality))
  } finally { img.close() }
}
