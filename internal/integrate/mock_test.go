package integrate

import "testing"

func TestMockStatus(t *testing.T) {
	for _, test := range []struct {
		body string
		want int
		ok   bool
	}{
		{`{"statusCode": 200}`, 200, true},
		{`{statusCode: 200}`, 200, true},
		{`{'statusCode' : 7,}`, 7, true},
		{"\n{ \"a\": {\"b\": [1, \"}\", {}]}, \"statusCode\" :404, x: y }\n", 404, true},
		{`{"statusCode": 200} and more`, 200, true},
		{`{"statusCode": "200"}`, 0, false},
		{`{"statusCode": 200.5}`, 0, false},
		{`{"statusCode": }`, 0, false},
		{`{"statusCode": 99999999999999999999}`, 0, false},
		{`{"a": {"statusCode": 200}}`, 0, false},
		{`{"a": 1}`, 0, false},
		{`{}`, 0, false},
		{`[]`, 0, false},
		{`{"a`, 0, false},
		{``, 0, false},
	} {
		if got, ok := mockStatus([]byte(test.body)); got != test.want || ok != test.ok {
			t.Errorf("%s: %d, %v", test.body, got, ok)
		}
	}
}

func FuzzMockStatus(f *testing.F) {
	f.Add([]byte(`{"a": [{}], statusCode: 200}`))
	f.Fuzz(func(_ *testing.T, body []byte) { mockStatus(body) })
}
