// Words of one's own ways in, and of the phones of the group.
export const vi = {
  title: 'Lối vào của tôi', fail: 'Chưa tải được. Kiểm tra mạng rồi thử lại.', again: 'Thử lại', loading: 'Đang tải…', back: 'Quay lại',
  sessions: 'Máy đang đăng nhập', here: 'Máy này', unknown: 'Máy chưa rõ', used: 'dùng gần nhất {t}', began: 'vào từ {t}', end: 'Đăng xuất máy đó', others: 'Đăng xuất mọi máy khác', othersSub: 'Máy này vẫn ở lại.',
  keys: 'Chìa khoá của tôi', noKeys: 'Chưa có. Nếu đăng xuất, bạn sẽ phải xin thư mời mới.', k_passkey: 'Vân tay, khuôn mặt', k_phrase: 'Thẻ giấy', k_province: 'Tài khoản của tỉnh', never: 'chưa dùng lần nào', made: 'có từ {t}', remove: 'Bỏ khoá này', removeSub: 'Sau đó không vào bằng khoá này được nữa.', add: 'Thêm cách vào',
  phones: 'Điện thoại trong tổ', newPhone: 'Điện thoại mới', newSub: 'Từ {t}. Nếu người đó nói không phải, hãy báo tổ trưởng.', noNew: 'Tuần này không ai đổi điện thoại.', invite: 'Mời lại', inviteSub: 'Khi có người đổi hoặc mất điện thoại.', who: 'Mời lại ai?', out: 'chưa vào Kẻng', how: '{name} đổi máy hay mất máy?', changed: 'Đổi máy', changedSub: 'Máy cũ dùng được tới khi máy mới vào.', lost: 'Mất máy', lostSub: 'Khoá máy cũ ngay bây giờ.', show: 'Cho {name} quét hình này, hoặc đọc mã', once: 'Dùng một lần, trong 7 ngày.', done: 'Xong', cancel: 'Thôi',
}
export type Key = keyof typeof vi
