// Package signin lets people back in: with a key on their device, with words on
// paper, with the province's own sign-in. Who they are, package people knows.
//
// # Words
//
//	passkey   khoá trên máy: a WebAuthn credential, opened by finger, face or PIN
//	card      số thẻ: eight digits that say whose paper it is; no secret
//	phrase    sáu cặp chữ: six pairs of words, the secret on the paper
//	code      mã 6 số: of an officer's authenticator app (TOTP, RFC 6238)
//	province  tài khoản của tỉnh: an OpenID Connect provider
//
// A phrase is six times one of 64 things and one of 64 qualities ("mèo vàng"), 72
// bits, drawn by the machine and never chosen; it is kept as Argon2id (19 MiB, two
// passes) and read with or without marks, spaces and capitals.
//
// # Promises
//
//   - No e-mail, no telephone number and no password anywhere.
//   - An officer comes in by a passkey that has verified him, by his paper and a
//     code that was never used before, or by the province; never by paper alone.
//   - A card that nobody has costs the same time as one with wrong words.
//   - Who guesses waits 1, 2, 4 ... 60 s, and has ten tries in 15 minutes. Nobody is
//     locked out for ever, and nobody who has a passkey at all.
//   - Of a stolen database nobody can come in: neither by phrase nor by code.
//   - Nobody who was not invited comes in by the province.
//
// Sources: W3C Web Authentication Level 3; OWASP ASVS 5.0 chapter 6; RFC 6238, RFC
// 9106, RFC 7636; OpenID Connect Core 1.0.
package signin
