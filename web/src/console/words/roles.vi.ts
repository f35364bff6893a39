// Words of the giving of roles.
export const vi = {
  title: 'Vai trò', sub: 'Vai trò cán bộ cần hai người: một người đề nghị, một người khác xác nhận, trong đó có trưởng công an. Mọi việc ở đây được ghi vào nhật ký.', loading: 'Đang tải…', fail: 'Chưa tải được. Máy chủ không trả lời.', again: 'Thử lại',
  waits: 'Đang chờ người thứ hai', held: 'Đang giữ', noWaits: 'Không có đề nghị nào đang chờ.', noHeld: 'Chưa ai giữ vai trò nào ở đây.',
  chief: 'Trưởng công an xã, phường', desk: 'Trực ban công an', head: 'Trưởng khu, trưởng thôn', team: 'Tổ bảo vệ an ninh, trật tự', mediator: 'Hoà giải viên', elder: 'Trưởng họ', steering: 'Thành viên ban chỉ đạo', viewer: 'Người xem số liệu cấp tỉnh', auditor: 'Người kiểm tra', admin: 'Quản trị máy', leader: 'Tổ trưởng', deputy: 'Tổ phó',
  by: '{who} đề nghị {t}', byVillage: 'theo danh sách xóm', byCommand: 'lập tại máy chủ', byGroup: 'tổ tự bầu', until: 'đến {d}', open: 'đến khi thôi',
  confirm: 'Xác nhận', refuse: 'Không đồng ý', end: 'Cho thôi', sure: 'Cho thôi ngay? Người đó mất quyền lập tức.', yes: 'Cho thôi ngay', cancel: 'Thôi',
  give: 'Đề nghị trao vai trò', who: 'Người được trao', find: 'Gõ tên, ít nhất hai chữ', search: 'Tìm', none: 'Không tìm thấy ai. Hãy gõ cách khác.', role: 'Vai trò', area: 'Tên khu, thôn', term: 'Đến ngày (bỏ trống nếu không hạn)', send: 'Gửi đề nghị', sent: 'Đã gửi. Cần một người khác xác nhận.', choose: 'Hãy chọn một người trước.', chosen: 'Đã chọn {who}', other: 'Chọn người khác',
}
export type Key = keyof typeof vi
