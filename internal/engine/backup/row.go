package backup

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// writeRow writes values as one line: a JSON array. A whole number has no point,
// any other number has one; bytes are {"b64": "..."}.
func writeRow(b *bytes.Buffer, values []any) error {
	b.WriteByte('[')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := writeValue(b, v); err != nil {
			return err
		}
	}
	b.WriteString("]\n")
	return nil
}

func writeValue(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("a number that is none: %v", v)
		}
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		b.WriteString(s)
	case []byte:
		fmt.Fprintf(b, `{"b64":%q}`, base64.StdEncoding.EncodeToString(v))
	case string:
		if !utf8.ValidString(v) {
			return fmt.Errorf("a text that is not UTF-8: %d bytes", len(v))
		}
		text, err := json.Marshal(v)
		b.Write(text)
		return err
	default:
		return fmt.Errorf("a value of type %T: keep times as Unix milliseconds, JSON as TEXT", v)
	}
	return nil
}

// readRow reads what writeRow wrote.
func readRow(line []byte, columns int) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var values []any
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("read row: %w", err)
	}
	if len(values) != columns {
		return nil, fmt.Errorf("read row: %d values for %d columns", len(values), columns)
	}
	for i, v := range values {
		var err error
		if values[i], err = readValue(v); err != nil {
			return nil, fmt.Errorf("read row: %w", err)
		}
	}
	return values, nil
}

func readValue(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string:
		return v, nil
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return v.Float64()
		}
		return v.Int64()
	case map[string]any:
		if s, ok := v["b64"].(string); ok && len(v) == 1 {
			return base64.StdEncoding.DecodeString(s)
		}
	}
	return nil, fmt.Errorf("a value that is none of ours: %T", v)
}
