package awswire

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// field makes a place writable: it allocates what a pointer points to.
func field(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return v.Elem()
}

// absent tells that a member isn't there; an empty list or map is.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Func:
		return v.IsNil()
	}
	return false
}

// held is the value a member holds.
func held(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		return v.Elem()
	}
	return v
}

func serialization(message string) *Error {
	return &Error{Code: "SerializationException", Status: 400, Message: message}
}

// setText reads a value that travels as text: a label, a query or header
// value, a form parameter.
func setText(t *Type, v reflect.Value, s string) error {
	v = field(v)
	switch t.Kind {
	case KindString:
		v.SetString(s)
		return nil
	case KindInteger, KindLong:
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits(t.Kind))
		if err != nil {
			return serialization("'" + shorten(s) + "' can not be converted to " + article(t.Kind))
		}
		v.SetInt(n)
		return nil
	case KindFloat, KindDouble:
		f, err := parseFloat(s)
		if err != nil {
			return serialization("'" + shorten(s) + "' can not be converted to " + article(t.Kind))
		}
		v.SetFloat(f)
		return nil
	case KindBoolean:
		switch strings.ToLower(s) {
		case "true":
			v.SetBool(true)
		case "false":
			v.SetBool(false)
		default:
			return serialization("'" + shorten(s) + "' can not be converted to a Boolean")
		}
		return nil
	case KindTimestamp:
		at, err := parseTime(s)
		if err != nil {
			return serialization("'" + shorten(s) + "' can not be converted to a Date")
		}
		v.Set(reflect.ValueOf(at))
		return nil
	case KindBlob:
		b, err := decodeBase64(s)
		if err != nil {
			return serialization("a blob is not valid base64")
		}
		v.SetBytes(b)
		return nil
	}
	return serialization("a value that cannot travel as text")
}

func bits(k Kind) int {
	if k == KindInteger {
		return 32
	}
	return 64
}

// article names a kind as serialization errors do.
func article(k Kind) string {
	switch k {
	case KindString:
		return "an String"
	case KindInteger:
		return "an Integer"
	case KindLong:
		return "a Long"
	case KindFloat:
		return "a Float"
	case KindDouble:
		return "a Double"
	case KindBoolean:
		return "a Boolean"
	case KindTimestamp:
		return "a Date"
	case KindBlob:
		return "a ByteBuffer"
	}
	return "that type"
}

// parseFloat reads a number or one of the three words JSON has no number for.
func parseFloat(s string) (float64, error) {
	switch s {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err == nil && (math.IsInf(f, 0) || math.IsNaN(f)) {
		return 0, strconv.ErrSyntax
	}
	return f, err
}

func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func decodeBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return base64.RawStdEncoding.DecodeString(s)
	}
	return b, nil
}

// parseTime reads any of the forms timestamps have; they can't be confused.
func parseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return epoch(f)
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", "Mon, 2 Jan 2006 15:04:05 GMT", "Mon, 02 Jan 2006 15:04:05.999 GMT"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, strconv.ErrSyntax
}

// maxEpoch is the last second of the year 9999.
const maxEpoch = 253402300799

func epoch(f float64) (time.Time, error) {
	if !(f >= -62135596800 && f <= maxEpoch) {
		return time.Time{}, strconv.ErrRange
	}
	whole, fraction := math.Modf(f)
	// Milliseconds are all AWS keeps, and all a float64 keeps surely.
	return time.Unix(int64(whole), int64(math.Round(fraction*1000))*int64(time.Millisecond)).UTC(), nil
}

// formatTime writes a timestamp. ISO 8601 has whole seconds, as AWS writes it.
func formatTime(t time.Time, f TimeFormat) string {
	t = t.UTC()
	switch f {
	case TimeHTTP:
		return t.Format("Mon, 02 Jan 2006 15:04:05 GMT")
	case TimeEpoch:
		s := strconv.FormatInt(t.Unix(), 10)
		if ms := t.Nanosecond() / int(time.Millisecond); ms != 0 {
			s = strings.TrimRight(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64), "0")
		}
		return s
	}
	return t.Format("2006-01-02T15:04:05Z")
}

// timeFormat is the format of a type where the protocol's own is def.
func (t *Type) timeFormat(def TimeFormat) TimeFormat {
	if t.Format == TimeDefault {
		return def
	}
	return t.Format
}

// text writes a value that travels as text.
func text(t *Type, v reflect.Value, def TimeFormat) string {
	v = held(v)
	switch t.Kind {
	case KindString:
		return v.String()
	case KindInteger, KindLong:
		return strconv.FormatInt(v.Int(), 10)
	case KindFloat, KindDouble:
		return formatFloat(v.Float())
	case KindBoolean:
		return strconv.FormatBool(v.Bool())
	case KindTimestamp:
		return formatTime(v.Interface().(time.Time), t.timeFormat(def))
	case KindBlob:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case KindDocument:
		return string(v.Bytes())
	}
	return ""
}
