// Words of the list of households, founders and notes of homes.
export const vi = {
  title: 'Danh sách hộ và mời lập tổ', sub: 'Nhập danh sách hộ mà xã, phường đang giữ (tệp Excel .xlsx). Chạy thử trước: máy chỉ ra từng dòng sai.', file: 'Tệp danh sách (.xlsx)', check: 'Chạy thử', take: 'Nhập danh sách', busy: 'Đang làm…', again: 'Chọn tệp khác',
  refused: 'Chưa nhập gì. Sửa các dòng sau rồi chọn lại tệp:', row: 'Dòng {row}, cột {column}', whole: 'Cả tệp', ignored: 'Bỏ qua các cột: {list}', would: 'Nếu nhập:', did: 'Đã nhập:', same: 'Không có gì thay đổi.', tally: '{what}: thêm {a}, sửa {c}, giữ nguyên {u}', groups: 'Tổ', homes: 'Nhà', people: 'Người', more: 'Còn nữa; sửa trước {n} dòng này.',
  past: 'Các lần nhập', none: 'Chưa nhập lần nào.', line: '{t}, {file}, {n} dòng', undo: 'Hoàn tác', undone: 'đã hoàn tác', late: 'quá 30 ngày', undid: 'Đã hoàn tác.', kept: 'Giữ lại vì đã có người sửa hoặc dùng: {list}.',
  export: 'Xuất danh sách (.xlsx)', exportSub: 'Ai có tên trong danh sách đều thấy bạn đã xuất.', fail: 'Chưa làm được. Máy chủ không trả lời.',
  founder: 'Mời người lập tổ', founderSub: 'Người này tự lập tổ trên điện thoại của họ.', name: 'Họ và tên', make: 'Làm thư mời', letter: 'Đưa {name} quét mã, hoặc gõ mã {code} ở trang đăng nhập. Dùng một lần, hết hạn {t}.', done: 'Xong',
  notes: 'Ghi chú các nhà để lại', notesSub: 'Mở thì nhà đó thấy tên bạn và giờ mở.', open: 'Mở ghi chú: {home}', openThis: 'Mở ghi chú của nhà này',
}
export type Key = keyof typeof vi
