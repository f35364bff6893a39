package broker

import (
	"slices"
	"strings"
)

// maxTopic bounds topics and filters, in bytes. The standard allows 65,535; the
// longest topic of the known dialects has about 120.
const maxTopic = 1024

// checkFilter says what is wrong with a topic filter (MQTT 5.0 §4.7.1), or
// success.
func checkFilter(filter string) reason {
	if filter == "" || len(filter) > maxTopic {
		return wrongFilter
	}
	if strings.HasPrefix(filter, "$share/") {
		return noShared
	}
	for rest, more := filter, true; more; {
		var level string
		level, rest, more = strings.Cut(rest, "/")
		if strings.ContainsAny(level, "+#") && level != "+" && (level != "#" || more) {
			return wrongFilter
		}
	}
	return success
}

func wild(filter string) bool { return strings.ContainsAny(filter, "+#") }

// may says whether a client with these prefixes may use a topic or a filter;
// nil prefixes allow all. Prefixes have no wildcards, so a filter is inside when
// its beginning is.
func may(prefixes []string, topic string) bool {
	return prefixes == nil || slices.ContainsFunc(prefixes, func(p string) bool {
		rest, ok := strings.CutPrefix(topic, p)
		return ok && (rest == "" || rest[0] == '/')
	})
}
