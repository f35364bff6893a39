package main

import (
	"flag"

	"github.com/keng-vn/keng/internal/app"
)

// outsideFlags fills o from flags and environment. The secrets come from the
// environment or a file named there, never from the command line.
func outsideFlags(fs *flag.FlagSet, e env, o *app.Outside) {
	fs.StringVar(&o.PushKey, "push-key", e.or("KENG_PUSH_KEY", ""), "PEM `file` with the key of push messages, made if missing; vapid.key in the data folder by default (KENG_PUSH_KEY)")
	fs.BoolVar(&o.PushPrivate, "push-private", e.or("KENG_PUSH_PRIVATE", "") != "", "phones may enrol push services at private addresses and without https: closed networks, tests (KENG_PUSH_PRIVATE)")
	fs.StringVar(&o.Contact, "contact", e.or("KENG_CONTACT", ""), "`address` for push services to write to, mailto: or https: (KENG_CONTACT)")
	fs.StringVar(&o.SMS, "sms-gateway", e.or("KENG_SMS_GATEWAY", ""), "`URL` of a gateway for SMS, see docs/gateway.md; its secret is KENG_GATEWAY_SECRET (KENG_SMS_GATEWAY)")
	fs.StringVar(&o.Voice, "voice-gateway", e.or("KENG_VOICE_GATEWAY", ""), "`URL` of a gateway for calls by voice; its secret is KENG_GATEWAY_SECRET (KENG_VOICE_GATEWAY)")
	fs.StringVar(&o.Webhook, "webhook", e.or("KENG_WEBHOOK", ""), "`URL` of a program that is told when an alarm opens and ends, signed with KENG_GATEWAY_SECRET (KENG_WEBHOOK)")
	o.Secret = []byte(e.getenv("KENG_GATEWAY_SECRET"))
}
