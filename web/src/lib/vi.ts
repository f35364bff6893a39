// Words that the phone and the duty console share.
export const vi = {
  // dangers
  fire: 'Cháy', gas: 'Rò khí gas', co: 'Khí độc CO', intrusion: 'Trộm, cướp', holdup: 'Bị khống chế', medical: 'Cấp cứu', panic: 'Khẩn cấp', flood: 'Ngập nước', technical: 'Sự cố kỹ thuật', other: 'Việc gấp khác',
  // what it is for
  live: 'Báo động thật', drill: 'Diễn tập', test: 'Thử chuông',
  // state of a home in the roll-call
  safe: 'An toàn', coming: 'Đang đến', need_help: 'Cần cứu', away: 'Vắng nhà', cannot_help: 'Không đến được', alarm: 'Báo động',
  no_contact: 'Chưa liên lạc được', device_sounding: 'Chuông đang kêu', phone_received: 'Điện thoại đã nhận', answered: 'Đã trả lời',
  // response
  unacknowledged: 'Chưa ai tiếp nhận', acknowledged: 'Đã tiếp nhận', attended: 'Đã có người tại chỗ', under_control: 'Đã khống chế',
  // causes of closing
  cause_real: 'Sự việc có thật', cause_mistaken_alarm: 'Báo nhầm', cause_nuisance: 'Khói bếp, hơi nước, côn trùng', cause_test: 'Thử chuông', cause_drill: 'Diễn tập', cause_false_report: 'Báo tin giả', cause_unknown: 'Chưa rõ nguyên nhân', cause_duplicate: 'Trùng với sự việc khác',
  // readiness of a home
  green: 'Sẵn sàng', amber: 'Cần xem lại', red: 'Không nghe được báo động',
  // roles
  member: 'Thành viên', leader: 'Tổ trưởng', deputy: 'Tổ phó', desk: 'Trực ban', auditor: 'Giám sát', admin: 'Quản trị',
  // numbers
  police: 'Công an', fire_rescue: 'Cứu hoả, cứu nạn', ambulance: 'Cấp cứu y tế', disaster: 'Thiên tai, cứu nạn', child: 'Bảo vệ trẻ em', call: 'Gọi {n}',
  // connection and outbox
  online: 'Sẵn sàng', connecting: 'Đang nối', offline: 'Mất kết nối', lostTitle: 'Mất kết nối với máy chủ', lostSince: 'Số liệu dừng ở {t}. Máy đang tự nối lại.',
  waiting: 'Chưa gửi được {n} việc. Máy sẽ tự gửi khi có mạng.', dismiss: 'Đã hiểu',
  refusedPlain: 'Máy chủ không nhận việc này (mã {n}).', expired: 'Không gửi được trong {n} giây nên máy đã bỏ. Hãy thử lại khi có mạng.', signedOut: 'Máy này đã đăng xuất. Đăng nhập lại để gửi.',
  // time
  secondsAgo: '{n} giây trước', minutesAgo: '{n} phút trước', hoursAgo: '{n} giờ trước', afterSeconds: 'sau {n} giây', afterMinutes: 'sau {n} phút',
  // device kinds
  kind_button: 'Nút báo động', kind_smoke: 'Báo khói', kind_heat: 'Báo nhiệt', kind_gas: 'Báo khí gas', kind_co: 'Báo khí CO', kind_water: 'Báo nước', kind_contact: 'Cảm biến cửa', kind_motion: 'Cảm biến người', kind_tamper: 'Chống tháo', kind_siren: 'Còi', kind_lamp: 'Đèn báo', kind_hub: 'Bộ trung tâm', kind_phone: 'Điện thoại',
  // device states
  dev_ok: 'Tốt', dev_late: 'Chậm báo', dev_offline: 'Mất kết nối', dev_faulty: 'Hỏng', dev_low_battery: 'Sắp hết pin', dev_tamper: 'Bị tháo', dev_unproven: 'Chưa thử', dev_bypassed: 'Tạm ngưng',
  you: 'Bạn', close: 'Đóng', cancel: 'Thôi',
}
export type Key = keyof typeof vi
