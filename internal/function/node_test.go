package function

import (
	"testing"
)

func TestNodeHandlers(t *testing.T) { inBothModes(t, testNodeHandlers) }

func testNodeHandlers(t *testing.T, m *Manager) {
	for _, tt := range []struct {
		name    string
		files   []string
		handler string
		want    string
	}{
		{"async", []string{"index.js", `exports.handler = async (e) => ({ got: e.x })`}, "index.handler", `{"got":1}`},
		{"synchronous value is dropped", []string{"index.js", `exports.handler = (e) => ({ got: e.x })`}, "index.handler", `null`},
		{"callback", []string{"index.js", `exports.handler = (e, c, done) => { setTimeout(() => done(null, 'later'), 5) }`}, "index.handler", `"later"`},
		{"es module", []string{"index.mjs", `import fs from 'node:fs'; export const handler = async () => typeof fs.readFileSync`}, "index.handler", `"function"`},
		{"es module by package", []string{"index.js", `export const handler = async () => import.meta.url.endsWith('index.js')`, "package.json", `{"type":"module"}`}, "index.handler", `true`},
		{"cjs", []string{"index.cjs", `exports.handler = async () => __filename.endsWith('.cjs')`}, "index.handler", `true`},
		{"nested path and member", []string{"src/app/file.js", `exports.a = { b: async () => 'deep' }`}, "src/app/file.a.b", `"deep"`},
		{"top-level await", []string{"index.mjs", `const x = await Promise.resolve(7); export const handler = async () => x`}, "index.handler", `7`},
		{"undefined is null", []string{"index.js", `exports.handler = async () => undefined`}, "index.handler", `null`},
		{"context.succeed", []string{"index.js", `exports.handler = (e, c) => { c.succeed(3) }`}, "index.handler", `3`},
		{"relative require", []string{"index.js", `exports.handler = async () => require('./lib')`, "lib.js", `module.exports = 'lib'`}, "index.handler", `"lib"`},
		{"package", []string{"index.mjs", `import p from 'p'; export const handler = async () => p`, "node_modules/p/index.js", `module.exports = 'p'`}, "index.handler", `"p"`},
		{"unicode", []string{"index.js", `exports.handler = async () => 'żółć😀'`}, "index.handler", `"żółć😀"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := nodeSpec(t, tt.files...)
			s.Handler = tt.handler
			answers(t, invoke(t, m, s, `{"x":1}`), tt.want)
			{
				r := invoke(t, m, s, `{"x":1}`)
				answers(t, r, tt.want)
				if r.InitDuration != 0 {
					t.Error("the second invocation was not warm")
				}
			}
		})
	}
}
