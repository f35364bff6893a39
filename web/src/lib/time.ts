// Times as people in Vietnam read them. One time zone, without summer time, whatever the phone is set to.
const zone = 7 * 3600e3

export const ms = (rfc3339: string) => Date.parse(rfc3339)
const local = (at: number | string) => new Date((typeof at === 'string' ? ms(at) : at) + zone).toISOString()

export const hms = (at: number | string) => local(at).slice(11, 19) // 14:32:05
export const hm = (at: number | string) => local(at).slice(11, 16) // 14:32
export const dm = (at: number | string) => `${+local(at).slice(8, 10)}/${+local(at).slice(5, 7)}` // 24/11

// mmss is a length of time in seconds as a running clock: 02:05, 1:02:05.
export function mmss(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds)), h = Math.floor(s / 3600), two = (n: number) => String(n).padStart(2, '0')
  return (h ? h + ':' : '') + two(Math.floor(s / 60) % 60) + ':' + two(s % 60)
}
