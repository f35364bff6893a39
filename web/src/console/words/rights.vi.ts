// Words of the queue of people who ask for their rights over their data.
export const vi = {
  title: 'Yêu cầu về dữ liệu cá nhân', sub: 'Người dân hỏi về dữ liệu của mình. Mỗi việc có hạn theo luật; mọi việc làm ở đây người đó đều đọc được.', none: 'Chưa có yêu cầu nào.', loading: 'Đang tải…', fail: 'Chưa tải được. Máy chủ không trả lời.', again: 'Thử lại',
  k_see: 'Xin xem dữ liệu', k_correct: 'Xin sửa cho đúng', k_export: 'Xin bản sao', k_delete: 'Xin xoá khỏi Kẻng', k_withdraw: 'Rút lại sự đồng ý', erased: 'Người đã được xoá',
  made: 'Gửi {t}', reply: 'Tiếp nhận chậm nhất {d}', due: 'Xong chậm nhất {d}', late: 'Quá hạn', taken: 'Đã tiếp nhận {t}', longer: 'Đã kéo dài', done: 'Đã làm {t}', refused: 'Đã từ chối {t}',
  take: 'Tiếp nhận', yes: 'Đã làm xong', no: 'Từ chối', more: 'Kéo dài thời hạn', erase: 'Xoá người này', text: 'Trả lời người đó', textMust: 'Viết lý do', sure: 'Xoá xong không lấy lại được: tên, điện thoại, máy đã đăng nhập đều mất. Nhật ký vẫn còn nguyên.', send: 'Gửi', cancel: 'Thôi',
}
export type Key = keyof typeof vi
