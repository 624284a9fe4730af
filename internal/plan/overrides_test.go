package plan

import "testing"

func TestOverrides(t *testing.T) {
	var o Overrides
	o.Set(RequestHeader, Override{Name: "a", Value: "1"})
	o.Set(RequestHeader, Override{Name: "b", Value: "2"})
	o.Set(RequestHeader, Override{Name: "a", Value: "3"})
	o.Set(RequestQuery, Override{Name: "a", Value: "q"})
	o.Remove(RequestHeader, "b")
	o.Remove(RequestHeader, "c")
	if got := o.All(RequestHeader); len(got) != 1 || got[0].Value != "3" {
		t.Errorf("headers are %v, want a=3", got)
	}
	if got, ok := o.Get(RequestQuery, "a"); !ok || got.Value != "q" {
		t.Errorf("query a is %v, want q", got)
	}
	if _, ok := o.Get(RequestPath, "a"); ok {
		t.Error("path has an a")
	}
}

func TestOverrideStatus(t *testing.T) {
	for value, want := range map[string]int{
		"": 0, "444": 444, "100": 100, "599": 599, "600": 0, "99": 0, "0200": 0, "2xx": 0, "200.0": 0, "-20": 0,
	} {
		var o Overrides
		o.Set(ResponseMembers, Override{Name: "status", Value: value})
		if got := o.Status(); got != want {
			t.Errorf("status of %q is %d, want %d", value, got, want)
		}
	}
}
