package definition_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// What is stored stays readable: a member that disappears, is renamed or
// changes its type needs a new format version and an upgrade. Adding one is
// fine; run the test with -update then.
func TestStoredMembers(t *testing.T) {
	var b bytes.Buffer
	describe(&b, definition.APIs)
	describe(&b, definition.Routes)
	describe(&b, definition.Integrations)
	describe(&b, definition.Authorizers)
	describe(&b, definition.Models)
	describe(&b, definition.RouteResponses)
	describe(&b, definition.IntegrationResponses)
	describe(&b, definition.Stages)
	describe(&b, definition.Deployments)
	describe(&b, definition.RouteKeys)
	describe(&b, definition.RouteTargets)
	describe(&b, definition.RouteAuthorizers)
	describe(&b, definition.APIOwners)
	describe(&b, definition.RestAPIs)
	describe(&b, definition.Resources)
	describe(&b, definition.ResourceNames)
	describe(&b, definition.RestModels)
	describe(&b, definition.RequestValidators)
	describe(&b, definition.RestAuthorizers)
	describe(&b, definition.GatewayResponses)
	describe(&b, definition.DocumentationParts)
	describe(&b, definition.DocumentationVersions)
	describe(&b, definition.RestDeployments)
	describe(&b, definition.RestStages)
	describe(&b, definition.Accounts)
	describe(&b, definition.APIKeys)
	describe(&b, definition.UsagePlans)
	describe(&b, definition.UsagePlanKeys)
	describe(&b, definition.ClientCertificates)
	describe(&b, definition.Domains)
	describe(&b, definition.DomainOwners)
	describe(&b, definition.DomainMappings)
	describe(&b, definition.DomainTargets)
	describe(&b, definition.DomainCertificates)
	describe(&b, definition.AccessAssociations)
	describe(&b, definition.RoutingRules)
	describe(&b, definition.Certificates)
	describe(&b, definition.UserPoolDomains)
	describe(&b, definition.VPCLinks)
	describe(&b, definition.RestVPCLinks)
	const file = "testdata/stored.txt"
	if *update {
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
	lines := members("", reflect.TypeFor[T](), nil)
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintf(b, "  %s\n", line)
	}
}

// members lists a structure's stored members, those of inner structures by path.
func members(path string, t reflect.Type, lines []string) []string {
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			lines = members(path, field.Type, lines)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		full := path + name
		inner := field.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Map || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() != "time" {
			lines = append(lines, full+" "+strings.TrimSuffix(field.Type.String(), inner.String())+"{}")
			lines = members(full+".", inner, lines)
			continue
		}
		lines = append(lines, full+" "+field.Type.String())
	}
	return lines
}
