// A voice note: recorded for at most a minute, as WebM with Opus, or MP4 where the browser knows nothing else.
export const longest = 60 // seconds

export interface Recording { stop: () => Promise<Blob>; drop: () => void }

export const canRecord = () => typeof MediaRecorder !== 'undefined' && !!navigator.mediaDevices?.getUserMedia

// record begins at once; full is called when the minute is over.
export async function record(full: () => void): Promise<Recording> {
  const media = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } })
  const type = ['audio/webm;codecs=opus', 'audio/mp4'].find((t) => MediaRecorder.isTypeSupported(t))
  const r = new MediaRecorder(media, { mimeType: type, audioBitsPerSecond: 32_000 }), parts: Blob[] = []
  const done = new Promise<Blob>((ok) => { r.onstop = () => { for (const t of media.getTracks()) t.stop(); ok(new Blob(parts, { type: (type ?? r.mimeType).split(';')[0] })) } })
  r.ondataavailable = (e) => { if (e.data.size) parts.push(e.data) }
  r.start()
  const end = setTimeout(full, longest * 1000)
  const stop = () => { clearTimeout(end); if (r.state !== 'inactive') r.stop(); return done }
  return { stop, drop: () => void stop() }
}
