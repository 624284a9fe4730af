package cognitoidp

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/store"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden file")

// TestStoredMembers holds what is stored: a member that disappears, is renamed
// or changes its type needs a new format version and an upgrade. Adding one is
// fine; run the test with -update then.
func TestStoredMembers(t *testing.T) {
	var b bytes.Buffer
	describe(&b, pools)
	describe(&b, poolOwners)
	describe(&b, signingKeys)
	describe(&b, clients)
	describe(&b, domains)
	describe(&b, resourceServers)
	describe(&b, groups)
	describe(&b, members)
	describe(&b, users)
	describe(&b, userCounts)
	describe(&b, aliases)
	describe(&b, revocations)
	const file = "testdata/stored.txt"
	if *updateGolden {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("what is stored has changed: see the diff of %s after go test -update", file)
	}
}

func describe[T any](b *bytes.Buffer, kind store.Kind[T]) {
	fmt.Fprintf(b, "%s version=%d versioned=%v sealed=%v\n", kind.Name, kind.Version, kind.Versioned, kind.Sealed)
	lines := membersOf("", reflect.TypeFor[T](), nil)
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// membersOf lists a structure's stored members, those of inner structures by path.
func membersOf(path string, t reflect.Type, lines []string) []string {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			lines = membersOf(path, field.Type, lines)
			continue
		}
		if name == "" {
			name = field.Name
		}
		inner := field.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Map || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() != "time" {
			lines = append(lines, path+name+" "+strings.TrimSuffix(field.Type.String(), inner.String())+"{}")
			lines = membersOf(path+name+".", inner, lines)
			continue
		}
		lines = append(lines, path+name+" "+field.Type.String())
	}
	return lines
}
