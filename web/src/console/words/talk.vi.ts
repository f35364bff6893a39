// Words of the desk's part in conversations, and of its notices.
export const vi = {
  title: 'Bà con trao đổi', logged: 'Mỗi lần trực ban đọc đều được ghi lại, bà con xem được. Kết thúc sự việc là không đọc được nữa.', loading: 'Đang tải…', failed: 'Chưa tải được. Máy sẽ tự thử lại.', closed: 'Trao đổi này đã đóng với trực ban.', empty: 'Chưa ai nói gì.', say: 'Nhắn bà con', send: 'Gửi', sending: 'Đang gửi…', gone: 'Tin đã được gỡ.', photo: 'Ảnh của {by}', voice: 'Lời nói của {by}, {n} giây',
  notices: 'Thông báo tới các tổ', ntTitle: 'Nội dung chính', ntText: 'Nói thêm (không bắt buộc)', ntUntil: 'Hết hạn lúc (để trống: 90 ngày)', ntGroups: 'Gửi tới', ntAll: 'Cả {unit} ({n} tổ)', ntSend: 'Gửi tới {n} tổ', ntPast: 'Đã gửi', ntNone: 'Chưa có thông báo nào.', needTitle: 'Hãy viết nội dung chính.', needGroups: 'Hãy chọn ít nhất một tổ.', net: 'Chưa tới được máy chủ. Hãy thử lại.', again: 'Thử lại',
  reach: '{g} tổ, {p} người; {s} người đã xem', withdraw: 'Rút thông báo', withdrawYes: 'Rút khỏi mọi máy', withdrawn: 'Đã rút', over: 'Đã hết hạn', until: 'đến {t}', warning: 'Cảnh báo', notice: 'Thông báo',
}
export type Key = keyof typeof vi
