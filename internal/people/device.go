package people

import (
	"context"
	"strings"
)

// where is what the [Service.Gate] noted of a request.
type where struct {
	device string // "Chrome, Android"
	host   string // under which Keng was asked: "keng.example.vn"
}

type whereKey struct{}

func fromWhere(ctx context.Context) where {
	w, _ := ctx.Value(whereKey{}).(where)
	return w
}

// DeviceIn is what the device behind a request is called, "" when nobody knows.
func DeviceIn(ctx context.Context) string { return fromWhere(ctx).device }

// HostIn is the name under which Keng was asked.
func HostIn(ctx context.Context) string { return fromWhere(ctx).host }

// deviceOf calls a device by its browser and system, as people do, from its
// User-Agent. No version, no model: it is for its owner to know it again.
func deviceOf(agent string) string {
	find := func(list [][2]string) string {
		for _, c := range list {
			if strings.Contains(agent, c[0]) {
				return c[1]
			}
		}
		return ""
	}
	browser := find([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"coc_coc", "Cốc Cốc"}, {"SamsungBrowser", "Samsung Internet"}, {"Zalo", "Zalo"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"}})
	system := find([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "Chromebook"}, {"Linux", "Linux"}})
	return strings.Trim(browser+", "+system, ", ")
}
