package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/tools/awsgen/model"
)

// fetch reads every service's model from its packages and writes schema/.
// npmDir is an existing node_modules to use instead of installing.
func fetch(schemaDir, npmDir string) error {
	if npmDir == "" {
		tmp, err := os.MkdirTemp("", "awsgen")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(tmp) }()
		if err := npmInstall(tmp); err != nil {
			return err
		}
		npmDir = filepath.Join(tmp, "node_modules")
	}
	over, err := readOverlay(filepath.Join(schemaDir, "overlay.json"))
	if err != nil {
		return err
	}
	for _, src := range sources {
		s, err := fetchService(src, filepath.Join(npmDir, "@aws-sdk", src.npm), over[src.pkg])
		if err != nil {
			return fmt.Errorf("%s: %w", src.pkg, err)
		}
		data, err := model.Encode(s)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(schemaDir, src.pkg+".json"), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func npmInstall(dir string) error {
	args := []string{"install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir}
	for _, src := range sources {
		args = append(args, "@aws-sdk/"+src.npm+"@"+src.npmVer)
	}
	cmd := exec.Command("npm", args...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// moduleDir downloads a module into the module cache and returns its folder.
func moduleDir(module, version string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	cmd.Dir = os.TempDir()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s@%s: %w", module, version, err)
	}
	var info struct{ Dir string }
	if err := json.Unmarshal(out, &info); err != nil {
		return "", err
	}
	return info.Dir, nil
}

func fetchService(src source, npm string, over overlay) (*model.Service, error) {
	var pkg struct{ Version string }
	data, err := os.ReadFile(filepath.Join(npm, "package.json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &pkg); err != nil {
		return nil, err
	}
	if pkg.Version != src.npmVer {
		return nil, fmt.Errorf("%s is %s, not %s", src.npm, pkg.Version, src.npmVer)
	}
	code, err := os.ReadFile(filepath.Join(npm, "dist-es/schemas/schemas_0.js"))
	if err != nil {
		return nil, err
	}
	shapes, err := evaluate(string(code))
	if err != nil {
		return nil, err
	}
	s := &model.Service{
		Package:   src.pkg,
		Protocols: []string{src.proto},
		Checks:    src.checks,
		Origin: model.Origin{
			Model:       "npm @aws-sdk/" + src.npm + " " + src.npmVer,
			Constraints: "go " + sdkV1 + " " + sdkV1Ver + " models/apis/" + src.v1,
			Fetched:     time.Now().UTC().Format(time.DateOnly),
			License:     "Apache-2.0",
		},
	}
	if err := readConstants(s, npm); err != nil {
		return nil, err
	}
	if s.Enums, err = readEnums(filepath.Join(npm, "dist-es/models/enums.js")); err != nil {
		return nil, err
	}
	types, err := readDeclarations(filepath.Join(npm, "dist-types/models"))
	if err != nil {
		return nil, err
	}
	b := builder{service: s, declared: types, enums: map[string]bool{}}
	for _, e := range s.Enums {
		b.enums[e.Name] = true
	}
	if err := b.build(shapes); err != nil {
		return nil, err
	}
	if len(s.Operations) != src.opCount {
		return nil, fmt.Errorf("%d operations, want %d", len(s.Operations), src.opCount)
	}
	unsigned, err := unsignedOperations(npm)
	if err != nil {
		return nil, err
	}
	for _, op := range s.Operations {
		op.Unsigned = unsigned[op.Name]
	}
	if err := readThrows(s, filepath.Join(npm, "dist-types/commands")); err != nil {
		return nil, err
	}
	if err := addConstraints(s, src); err != nil {
		return nil, err
	}
	if src.v2 != "" {
		s.Origin.Widths = "go " + sdkV2 + src.v2 + " " + src.v2Ver
		dir, err := moduleDir(sdkV2+src.v2, src.v2Ver)
		if err != nil {
			return nil, err
		}
		if err := addWidths(s, dir); err != nil {
			return nil, err
		}
	}
	if err := over.apply(s); err != nil {
		return nil, err
	}
	if err := checkWidths(s); err != nil {
		return nil, err
	}
	return s, nil
}

var (
	constantRE = regexp.MustCompile(`(?m)^\s+(version|serviceTarget|xmlNamespace): "([^"]*)"`)
	idRE       = regexp.MustCompile(`serviceId: config\?\.serviceId \?\? "([^"]*)"`)
	signingRE  = regexp.MustCompile(`(?m)^\s+name: "([^"]*)"`)
	caseRE     = regexp.MustCompile(`case "(\w+)":`)
)

// readConstants takes the service's names, versions and unsigned operations
// from the client's configuration.
func readConstants(s *model.Service, npm string) error {
	conf, err := os.ReadFile(filepath.Join(npm, "dist-es/runtimeConfig.shared.js"))
	if err != nil {
		return err
	}
	for _, m := range constantRE.FindAllStringSubmatch(string(conf), -1) {
		switch m[1] {
		case "version":
			s.APIVersion = m[2]
		case "serviceTarget":
			s.TargetPrefix = m[2]
		case "xmlNamespace":
			s.XMLNamespace = m[2]
		}
	}
	id := idRE.FindStringSubmatch(string(conf))
	auth, err := os.ReadFile(filepath.Join(npm, "dist-es/auth/httpAuthSchemeProvider.js"))
	if err != nil {
		return err
	}
	name := signingRE.FindStringSubmatch(string(auth))
	if id == nil || name == nil || s.APIVersion == "" || s.TargetPrefix == "" {
		return fmt.Errorf("incomplete client configuration: id %q, signing name %q", id, name)
	}
	s.ID, s.SigningName = id[1], name[1]
	return nil
}

// unsignedOperations lists the operations whose first choice is no signature.
func unsignedOperations(npm string) (map[string]bool, error) {
	auth, err := os.ReadFile(filepath.Join(npm, "dist-es/auth/httpAuthSchemeProvider.js"))
	if err != nil {
		return nil, err
	}
	unsigned := map[string]bool{}
	var pending []string
	for line := range strings.Lines(string(auth)) {
		if m := caseRE.FindStringSubmatch(line); m != nil {
			pending = append(pending, m[1])
		}
		if len(pending) == 0 {
			continue
		}
		switch {
		case strings.Contains(line, "createSmithyApiNoAuthHttpAuthOption"):
			for _, op := range pending {
				unsigned[op] = true
			}
		case strings.Contains(line, "break;"):
			pending = nil
		}
	}
	return unsigned, nil
}

var (
	enumRE   = regexp.MustCompile(`^export const (\w+) = \{`)
	keyRE    = regexp.MustCompile(`^\s+(?:"([^"]*)"|([\w$]+)): "((?:[^"\\]|\\.)*)",`)
	throwsRE = regexp.MustCompile(`@throws \{@link (\w+)\}`)
)

func readEnums(file string) ([]*model.Enum, error) {
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil // managementapi has none
	}
	if err != nil {
		return nil, err
	}
	var enums []*model.Enum
	var cur *model.Enum
	for line := range strings.Lines(string(data)) {
		if m := enumRE.FindStringSubmatch(line); m != nil {
			cur = &model.Enum{Name: m[1]}
			enums = append(enums, cur)
			continue
		}
		if strings.HasPrefix(line, "}") {
			cur = nil
			continue
		}
		if cur == nil {
			continue
		}
		m := keyRE.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s: cannot read %q", file, line)
		}
		value, err := strconv.Unquote(`"` + m[3] + `"`)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", file, line, err)
		}
		cur.Values = append(cur.Values, model.EnumValue{Key: m[1] + m[2], Value: value})
	}
	slices.SortFunc(enums, func(a, b *model.Enum) int { return strings.Compare(a.Name, b.Name) })
	return enums, nil
}

// readThrows takes each operation's modelled errors from its command's declaration.
func readThrows(s *model.Service, dir string) error {
	known := map[string]bool{}
	for _, e := range s.Errors {
		known[e.Name] = true
	}
	for _, op := range s.Operations {
		data, err := os.ReadFile(filepath.Join(dir, op.Name+"Command.d.ts"))
		if err != nil {
			return err
		}
		for _, m := range throwsRE.FindAllStringSubmatch(string(data), -1) {
			if known[m[1]] && !slices.Contains(op.Errors, m[1]) {
				op.Errors = append(op.Errors, m[1])
			}
		}
	}
	return nil
}
