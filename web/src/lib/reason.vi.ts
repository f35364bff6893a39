// Sentences for the server's keys; ours may lag behind the server's: the caller has a word to fall back to.
export const vi = {
  'home.ready': 'Sẵn sàng',
  'home.siren_offline': 'Còi mất kết nối {hours} giờ. Kiểm tra nguồn điện.',
}
