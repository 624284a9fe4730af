package rest

import (
	"strings"
	"testing"
	"testing/synctest"

	"gatehouse/internal/plan"
)

// Who reads a long body waits for a turn, and gives it back.
func TestTurnsOfLongBodies(t *testing.T) {
	long := `{"a":"short","b":"` + strings.Repeat("x", 100_000) + `"}`
	template := RequestOptions{Kind: HTTP, Templates: map[string]string{jsonType: `$input.json('$.a')`}}
	parameter := RequestOptions{Kind: HTTPProxy, Parameters: map[string]string{"integration.request.header.X-A": "method.request.body.a"}}
	schema := func(string) (string, bool) { return `{"type":"object"}`, true }
	validator := newValidator(t, ValidatorOptions{Models: map[string]string{jsonType: "A"}, Library: NewLibrary("api", schema), CheckBody: true})
	for _, test := range []struct {
		name, body string
		work       func(*testing.T, *plan.Exchange) error
		waits      bool
	}{
		{"template", long, func(t *testing.T, x *plan.Exchange) error { return mapped(t, template, x) }, true},
		{"parameter", long, func(t *testing.T, x *plan.Exchange) error { return mapped(t, parameter, x) }, true},
		{"validator", long, func(_ *testing.T, x *plan.Exchange) error { return validator.Validate(x) }, true},
		{"template of a short body", `{"a":1}`, func(t *testing.T, x *plan.Exchange) error { return mapped(t, template, x) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := exchange("POST", "/pets", "", test.body, plan.Header{Name: "Content-Type", Value: jsonType})
				x.Turns = plan.NewTurns(1)
				taken := x.Turns.Take(len(long))
				ended := false
				go func() {
					if err := test.work(t, x); err != nil {
						t.Error(err)
					}
					ended = true
				}()
				synctest.Wait()
				if ended == test.waits {
					t.Errorf("ended %v while another works", ended)
				}
				x.Turns.Give(taken)
				synctest.Wait()
				if !ended {
					t.Error("it never got its turn")
				}
				x.Turns.Give(x.Turns.Take(len(long)))
			})
		})
	}
}

// What a long body becomes counts like the body.
func TestLongBodiesMadeAreHeld(t *testing.T) {
	const long = 1 << 20
	bytes := strings.Repeat("\x81", long)
	doubled := map[string]string{jsonType: "$input.body$input.body"}
	for _, test := range []struct {
		name, body string
		o          RequestOptions
		room       int64 // that is enough
	}{
		{"text of bytes", bytes, RequestOptions{Kind: HTTP}, 4*long + long/2},
		{"bytes of base64", strings.Repeat("AAAA", long/4), RequestOptions{Kind: HTTP, Handling: ToBinary}, 2*long + long/2},
		{"a template", strings.Repeat("x", long), RequestOptions{Kind: HTTP, Templates: doubled}, 5 * long},
	} {
		for _, room := range []int64{test.room, long + long/2} {
			x := exchange("POST", "/pets", "", test.body, plan.Header{Name: "Content-Type", Value: jsonType})
			x.Memory = plan.NewMemory(room)
			x.Turns = plan.NewTurns(1)
			r, err := NewRequest(test.o)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.ReadBody(); err != nil {
				t.Fatal(err)
			}
			err = r.Map(x)
			crowded := room != test.room
			if x.Crowded() != crowded || (err != nil) != crowded {
				t.Errorf("%s with room for %d: crowded is %v, %v", test.name, room, x.Crowded(), err)
			}
			x.Turns.Give(x.Turns.Take(long))
		}
	}
}
