// Words of the officer's own menu: devices, keys, colleagues.
export const vi = {
  title: 'Tài khoản của tôi', fail: 'Chưa tải được. Máy chủ không trả lời.', again: 'Thử lại', loading: 'Đang tải…',
  sessions: 'Máy đang đăng nhập', here: 'máy này', unknown: 'Máy chưa rõ', used: 'dùng gần nhất {t}', end: 'Đăng xuất', others: 'Đăng xuất mọi máy khác',
  keys: 'Chìa khoá', noKeys: 'Chưa có khoá nào: ca sau sẽ không vào được.', k_passkey: 'Vân tay, khuôn mặt', k_phrase: 'Thẻ giấy và mã 6 số', k_province: 'Tài khoản của tỉnh', never: 'chưa dùng', remove: 'Bỏ', add: 'Thêm cách vào',
  colleagues: 'Đồng nghiệp mất khoá', colleaguesSub: 'Hai đồng nghiệp cùng xác nhận thì người đó được mời lại; khoá và phiên cũ mất hiệu lực ngay. Không ai tự làm một mình.', ask: 'Đề nghị mời lại', asked: '{by} đề nghị, hạn {t}', agree: 'Tôi xác nhận', refuse: 'Không đúng, bỏ', waits: 'Chờ đồng nghiệp khác xác nhận', none: 'Chưa có đồng nghiệp nào ở đơn vị này.', self: 'bạn',
  show: 'Cho {name} quét hình này, hoặc đọc mã. Dùng một lần, trong 7 ngày.', out: 'Đăng xuất máy này', sure: 'Máy này sẽ không nghe báo động nữa. Đăng xuất?', yes: 'Đăng xuất', no: 'Thôi',
}
export type Key = keyof typeof vi
