// Words of the group's channel.
export const vi = {
  title: 'Trò chuyện của tổ', titleIncident: 'Trao đổi về sự cố', openTalk: 'Trò chuyện', openSub: 'Chữ, ảnh, lời nói với bà con trong tổ', openNew: '{n} tin chưa đọc', openIncident: 'Trao đổi về sự cố này', back: 'Quay lại',
  who: 'Chỉ bà con trong tổ đọc được.', whoIncident: 'Bà con trong tổ và trực ban đọc được, cho tới khi kết thúc.', whoDrill: 'Chỉ bà con trong tổ đọc được.',
  log: 'Các tin', empty: 'Chưa có tin nào. Bạn nói trước nhé.', loading: 'Đang tải…', failed: 'Chưa tải được. Máy sẽ tự thử lại.', closed: 'Trao đổi này không còn mở với bạn.', older: 'Xem tin cũ hơn', keep: 'Tin được giữ {n} ngày rồi xoá hẳn.',
  write: 'Viết tin', send: 'Gửi', speak: 'Bấm để nói', photo: 'Gửi ảnh', announce: 'Gửi làm thông báo của tổ trưởng', announceSub: 'Hiện trên màn hình chính mọi nhà; bạn biết bao nhiêu người đã xem.',
  recording: 'Đang thu: {n} giây', recordFull: 'Đủ 60 giây', sendVoice: 'Gửi lời nói', drop: 'Bỏ', noMic: 'Máy này chưa cho Kẻng dùng micrô. Hãy cho phép rồi bấm lại, hoặc viết bằng chữ.', sendPhoto: 'Gửi ảnh này?', sendPhotoSub: 'Vị trí và thông tin máy đã được xoá khỏi ảnh.', noPhoto: 'Không đọc được ảnh này. Hãy chọn ảnh khác.', photoAlt: 'Ảnh của {by}', voiceOf: 'Lời nói của {by}, {n} giây',
  waiting: 'Đang chờ gửi', taken_author: 'Tin đã được thu hồi', taken_leader: 'Tổ trưởng đã gỡ tin này', taken_desk: 'Thông báo này đã được rút', edit: 'Thu hồi tin', editEnd: 'Xong', takeBack: 'Thu hồi tin này', remove: 'Gỡ tin này', takeAsk: 'Xoá hẳn tin này?', takeAskSub: 'Không lấy lại được. Chỗ đó sẽ ghi là đã gỡ.', takeYes: 'Xoá hẳn',
  seenBy: 'Đã xem: {n} trong {m} người', announcement: 'Thông báo của tổ trưởng', notice: 'Thông báo của trực ban', warning: 'Cảnh báo', until: 'Đến {t}', over: 'Đã hết hạn', inIncident: 'Trong lúc báo động', desk: 'Trực ban', you: 'Bạn',
  level_extreme: 'Rất nguy hiểm', level_severe: 'Nguy hiểm', level_moderate: 'Cần đề phòng', level_minor: 'Lưu ý', level_unknown: 'Lưu ý', read: 'Đã đọc', pinned: 'Thông báo',
}
export type Key = keyof typeof vi
