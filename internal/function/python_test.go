package function

import "testing"

func TestPythonHandlers(t *testing.T) { inBothModes(t, testPythonHandlers) }

func testPythonHandlers(t *testing.T, m *Manager) {
	for _, tt := range []struct {
		name    string
		files   []string
		handler string
		want    string
	}{
		{"plain", []string{"app.py", "def handler(event, context):\n    return {'got': event['x']}\n"}, "app.handler", `{"got": 1}`},
		{"nothing is null", []string{"app.py", "def handler(event, context):\n    pass\n"}, "app.handler", `null`},
		{"nested path", []string{"src/app.py", "def handler(event, context):\n    return 'deep'\n"}, "src/app.handler", `"deep"`},
		{"package", []string{"pkg/__init__.py", "", "pkg/app.py", "from .other import v\ndef handler(event, context):\n    return v\n", "pkg/other.py", "v = 5\n"}, "pkg.app.handler", `5`},
		{"unicode", []string{"app.py", "def handler(event, context):\n    return 'żółć😀'\n"}, "app.handler", `"żółć😀"`},
		{"decimal", []string{"app.py", "import decimal\ndef handler(event, context):\n    return decimal.Decimal('1.5')\n"}, "app.handler", `1.5`},
		{"callable object", []string{"app.py", "class H:\n    def __call__(self, event, context):\n        return context.aws_request_id\nhandler = H()\n"}, "app.handler", `"` + testRequestID + `"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := pythonSpec(t, tt.files...)
			s.Handler = tt.handler
			answers(t, invoke(t, m, s, `{"x":1}`), tt.want)
			r := invoke(t, m, s, `{"x":1}`)
			answers(t, r, tt.want)
			if r.InitDuration != 0 {
				t.Error("the second invocation was not warm")
			}
		})
	}
}
