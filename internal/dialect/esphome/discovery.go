package esphome

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

const discoverPrefix = "esphome/discover/"

// HubTopics implements [dialect.HubDialect].
func (Dialect) HubTopics() []string { return []string{discoverPrefix + "#"} }

// DecodeHub implements [dialect.HubDialect]: a node says that it is there. What
// entities it has it tells only through Home Assistant discovery, which dialect
// homeassistant reads.
func (Dialect) DecodeHub(m dialect.Message) (dialect.HubReport, error) {
	node, ok := strings.CutPrefix(m.Topic, discoverPrefix)
	if !ok || node == "" {
		return dialect.HubReport{}, nil
	}
	if len(m.Payload) == 0 {
		return dialect.HubReport{Found: []dialect.Found{{Topic: node, Gone: true}}}, nil
	}
	var v struct {
		Name     string `json:"name"`
		Friendly string `json:"friendly_name"`
		Board    string `json:"board"`
		Project  string `json:"project_name"`
	}
	if err := json.Unmarshal(m.Payload, &v); err != nil {
		return dialect.HubReport{}, fmt.Errorf("ESPHome discovery is not readable: %w", err)
	}
	return dialect.HubReport{Found: []dialect.Found{{
		Topic:        node, // topic_prefix is the node's name unless set otherwise
		Name:         first(v.Friendly, v.Name, node),
		Model:        first(v.Project, v.Board),
		Kind:         signal.Hub,
		Capabilities: slices.Clone(m.Payload),
	}}}, nil
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
