// Why a device is as it is, for the leader.
export const vi = {
  'device.ok': 'Tốt', 'device.bypassed': 'Tạm ngưng tới {until}', 'device.offline': 'Mất kết nối {span}. Kiểm tra nguồn điện hoặc pin.', 'device.hub_offline': 'Bộ trung tâm {hub} mất kết nối {span}. Kiểm tra điện và mạng của bộ.', 'device.never_seen': 'Chưa lên mạng lần nào. Kiểm tra tên thiết bị và chủ đề.',
  'device.cannot_command': 'Còi này chưa biết cách ra lệnh. Báo người cài đặt.', 'device.alarm_missed': 'Báo động lúc {at} mà máy chủ không nghe kịp. Hỏi thăm ngay.', 'device.fault': 'Thiết bị tự báo lỗi: {text}. Thay hoặc sửa.', 'device.alarm_standing': 'Báo mãi chưa dứt. Lau cảm biến hoặc thay mới.', 'device.tamper': 'Bị mở nắp. Đóng lại.',
  'device.low_battery': 'Còn {percent}% pin. Thay pin.', 'device.battery_empty': 'Sắp hết pin. Thay pin.', 'device.late': 'Im lặng lâu hơn thường lệ. Theo dõi thêm.', 'device.unproven': 'Đã {days} ngày chưa thử. Hãy thử chuông.', 'device.never_proven': 'Chưa thử lần nào. Hãy thử chuông.',
}
