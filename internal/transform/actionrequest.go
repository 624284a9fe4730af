package transform

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// sqsVersion is that of the API whose query protocol SQS speaks.
const sqsVersion = "2012-11-05"

// writeForm writes the request of a service that takes forms.
func writeForm(a *Action, x *plan.Exchange) error {
	b := append([]byte(nil), "Action="+a.Name+"&Version="+sqsVersion...)
	for i := range a.values {
		v := &a.values[i]
		text, err := v.text(x)
		if err != nil {
			return err
		}
		switch v.parameter.kind {
		case asList:
			items, ok := listOf(text)
			if !ok {
				return misfit(x, v, "list of texts")
			}
			for n, item := range items {
				b = appendField(b, v.parameter.key+"."+strconv.Itoa(n+1), item)
			}
		case asAttributes:
			if b, err = appendAttributes(b, x, v, text); err != nil {
				return err
			}
		case asNumber:
			if !isNumber(text) {
				return misfit(x, v, "number")
			}
			b = appendField(b, v.parameter.key, text)
		default:
			b = appendField(b, v.parameter.key, text)
		}
	}
	x.Mapped.Body, x.Mapped.HasBody = b, true
	return nil
}

// plainInForm are the bytes that need no escape in a form, nor as one segment of a
// path.
var plainInForm = makeSet("-._~")

func appendField(b []byte, name, value string) []byte {
	b = append(append(append(b, '&'), name...), '=')
	start := len(b)
	return escape(append(b, value...), start, &plainInForm)
}

// maxStructured is the longest text that is read as a list or as attributes: that
// of a message of SQS with its attributes. What it is read into takes far more.
const maxStructured = 1 << 20

// appendAttributes appends the attributes of a message, which are given as a
// document: {"name": {"DataType": "String", "StringValue": "text"}}.
func appendAttributes(b []byte, x *plan.Exchange, v *actionValue, text string) ([]byte, error) {
	var attributes map[string]struct{ DataType, StringValue, BinaryValue *string }
	if len(text) > maxStructured || json.Unmarshal([]byte(text), &attributes) != nil {
		return nil, misfit(x, v, "document of attributes")
	}
	for i, name := range slices.Sorted(maps.Keys(attributes)) {
		key := v.parameter.key + "." + strconv.Itoa(i+1)
		b = appendField(b, key+".Name", name)
		of := attributes[name]
		for _, field := range [...]struct {
			key   string
			value *string
		}{{".Value.DataType", of.DataType}, {".Value.StringValue", of.StringValue}, {".Value.BinaryValue", of.BinaryValue}} {
			if field.value != nil {
				b = appendField(b, key+field.key, *field.value)
			}
		}
	}
	return b, nil
}

// listOf reads a list: a JSON array of strings, or texts with commas between.
func listOf(text string) ([]string, bool) {
	if len(text) > maxStructured {
		return nil, false
	}
	if !strings.HasPrefix(text, "[") {
		items := strings.Split(text, ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
		return items, true
	}
	var items []string
	return items, json.Unmarshal([]byte(text), &items) == nil
}

// isNumber tells whether text is an integer as JSON has it.
func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || len(digits) > 15 || len(digits) > 1 && digits[0] == '0' {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// writeJSON writes the request of a service that takes a JSON document.
func writeJSON(a *Action, x *plan.Exchange) error {
	b, err := a.appendDocument(nil, x)
	x.Mapped.Body, x.Mapped.HasBody = b, true
	return err
}

// writeEvent writes the one event that EventBridge takes in a list.
func writeEvent(a *Action, x *plan.Exchange) error {
	b, err := a.appendDocument([]byte(`{"Entries":[`), x)
	x.Mapped.Body, x.Mapped.HasBody = append(b, "]}"...), true
	return err
}

// appendDocument appends the parameters as a JSON object.
func (a *Action) appendDocument(b []byte, x *plan.Exchange) ([]byte, error) {
	b = append(b, '{')
	for i := range a.values {
		v := &a.values[i]
		text, err := v.text(x)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), v.parameter.key...), `":`...)
		if b, err = v.appendJSON(b, x, text); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func (v *actionValue) appendJSON(b []byte, x *plan.Exchange, text string) ([]byte, error) {
	switch v.parameter.kind {
	case asTime:
		seconds, ok := secondsOf(text)
		if !ok {
			return nil, misfit(x, v, "time")
		}
		return append(b, seconds...), nil
	case asBytes:
		// UNVERIFIED: that what is in base64 already isn't encoded once more.
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			b = base64.StdEncoding.AppendEncode(append(b, '"'), []byte(text))
			return append(b, '"'), nil
		}
		return appendQuoted(b, text), nil
	case asList:
		items, ok := listOf(text)
		if !ok {
			return nil, misfit(x, v, "list of texts")
		}
		b = append(b, '[')
		for i, item := range items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendQuoted(b, item)
		}
		return append(b, ']'), nil
	default:
		return appendQuoted(b, text), nil
	}
}

// secondsOf reads a time, in seconds since 1970 or as in RFC 3339, and returns
// it as the JSON protocol has it.
func secondsOf(text string) (string, bool) {
	whole, fraction, dotted := strings.Cut(text, ".")
	if isNumber(whole) && (!dotted || fraction != "" && len(fraction) <= 9 && strings.Trim(fraction, "0123456789") == "") {
		return text, true
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return "", false
	}
	if at.Nanosecond() == 0 {
		return strconv.FormatInt(at.Unix(), 10), true
	}
	return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64), true
}

// writeConfiguration writes the request of AppConfig, whose parameters are parts
// of the path and of the query.
func writeConfiguration(a *Action, x *plan.Exchange) error {
	var path, query []byte
	for i := range a.values {
		v := &a.values[i]
		text, err := v.text(x)
		if err != nil {
			return err
		}
		if strings.HasPrefix(v.parameter.key, "/") {
			path = append(path, v.parameter.key...)
			start := len(path)
			path = escape(append(path, text...), start, &plainInForm)
			continue
		}
		query = appendField(query, v.parameter.key, text)
	}
	x.Mapped.Path, x.Mapped.Query = string(path), string(query[1:])
	return nil
}

// appendQuoted appends text as a JSON string.
func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	start := len(b)
	return append(inJSON(append(b, text...), start), '"')
}

// inJSON escapes what can't stand in a JSON string; what isn't UTF-8 is replaced.
func inJSON(b []byte, start int) []byte {
	i := start
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' && b[i] < utf8.RuneSelf {
		i++
	}
	if i == len(b) {
		return b
	}
	rest := string(b[i:])
	b = b[:i]
	for _, r := range rest {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
