// Words of the resident's phone that must be there at once.
export const vi = {
  hold: 'Giữ 2 giây', holdSub: 'để đánh kẻng', holding: 'Giữ tiếp…', release: 'Thả tay để huỷ',
  hearAll: '{n} nhà và trực ban {unit} cùng nghe ngay.', hearSome: '{n} trong {m} nhà và trực ban {unit} nghe ngay.',
  call114: 'Gọi {n}', address: 'Đọc địa chỉ', homes: '{n} nhà trong tổ', manyHomes: '{n} nhà', readyOf: '{n}/{m} sẵn sàng', allReady: 'Cả tổ đều nghe được báo động.',
  tabs: 'Các màn hình', tabGong: 'Kẻng', tabGroup: 'Tổ', tabMore: 'Thêm',
  bellOff: 'Máy này chưa kêu được', bellOffSub: 'Chạm để bật chuông',
  // sheet before raising
  askTitle: 'Đánh kẻng báo động?', askBody: '{n} nhà trong tổ và trực ban {unit} sẽ nghe ngay.', askKind: 'Chuyện gì? Chưa rõ thì bỏ qua.', askSilent: 'Báo kín cho trực ban?', askYes: 'Báo động ngay', askNo: 'Không, tôi bấm nhầm',
  silentKind: 'Báo kín, không chuông', silentBody: 'Không chuông, không còi, máy hàng xóm không hiện gì. Chỉ trực ban {unit} biết.', silentYes: 'Gửi kín',
  pick_fire: 'Cháy', pick_intrusion: 'Trộm, cướp', pick_medical: 'Cấp cứu', pick_other: 'Việc khác',
  // sent
  sentTitle: 'Kẻng đã vang', sentFirst: 'Đang gọi {n} nhà trong tổ…', sentNobody: 'Chưa nhà nào nhận được. Hãy gọi 114 và hô hoán.',
  heardSiren: 'chuông đang kêu', heardPhone: 'máy đã nhận', heardAnswer: 'đã trả lời', reached: 'Tới được {n} trong {m} nhà', notReached: 'Chưa tới được: {names}',
  what: 'Chuyện gì vậy?', whatSub: 'Bấm một lần để bà con biết mà chuẩn bị', own: 'Nhà bạn lúc này',
  mistake: 'Bấm nhầm, huỷ báo động', nuisance: 'Khói bếp hoặc báo nhầm, huỷ', mistakeFree: 'Huỷ ngay được trong {n} giây nữa', mistakeLate: 'Cần một nhà khác cùng xác nhận',
  takenDesk: 'Trực ban đã tiếp nhận', takenBy: '{name} đã tiếp nhận', notTaken: 'Trực ban chưa tiếp nhận', attendedBy: 'Đã có người tới nơi', controlled: 'Đã khống chế',
  // queued
  sending: 'Đang đánh kẻng…', queued: 'Chưa có mạng. Tin đã lưu, sẽ tự gửi khi có sóng. Hãy gọi 114 và hô hoán.', sms: 'Báo bằng tin nhắn SMS', smsText: 'Báo động {what}! {where}. Hãy gọi 114 và đến giúp.', callNear: 'Gọi nhà trong tổ', takeBack: 'Bấm nhầm, bỏ tin này',
  // incoming
  yourHome: 'Nhà bạn', away_m: 'cách nhà bạn {n} m', comingN: '{n} người đang đến', comingMe: '{n} người đang đến, có bạn', needN: '{n:nhà cần cứu|nhà cần cứu}', spreading: 'Đang lan sang nhà khác', unknownHome: 'Một nhà trong tổ bên cạnh',
  prealarm: 'Đang kiểm tra', preSub: 'Một cảm biến vừa báo, đang chờ xác nhận', returnedSub: 'Cảm biến đã hết báo. Vẫn phải có người kiểm tra.',
  question: 'Bạn thế nào?', iCome: 'Tôi đến giúp', iSafe: 'Tôi an toàn', iHelp: 'Cần cứu', iAway: 'Tôi không ở nhà', safeSub: 'Nhà tôi không sao', helpSub: 'Có người kẹt hoặc bị thương',
  come_fire: 'Mang bình chữa cháy, đi có đôi', come_gas: 'Không châm lửa, không bật điện', come_intrusion: 'Đi từ hai người, không đuổi một mình', come_medical: 'Mang túi cứu thương nếu có', come_flood: 'Ngắt điện trước, đi có đôi', come_: 'Tôi qua ngay, đi có đôi',
  muteMine: 'Tắt tiếng', muteHome: 'Tắt còi nhà tôi 3 phút', unlock: 'Chạm để bật tiếng',
  sent: 'Đã gửi: {what}', sendingAnswer: 'Đang gửi: {what}', change: 'Đổi câu trả lời', behalf: 'Trả lời hộ nhà khác',
  realNow: 'Có sự cố thật!', another: 'Nhà tôi cũng gặp nạn', minimise: 'Về màn hình chính', active: 'Đang có báo động',
  drillNote: 'Đây là buổi tập. Làm như thật, không gọi 114.',
  newAlarm: '{what}, {where}', noState: 'Chưa tải được dữ liệu', noStateSub: 'Máy sẽ tự thử lại. Việc gấp hãy gọi ngay.', noHome: 'Tài khoản này không gắn với nhà nào.',
}
export type Key = keyof typeof vi
