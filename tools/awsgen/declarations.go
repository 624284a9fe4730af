package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// declarations maps "Structure.Member" to the member's TypeScript type. The
// schema file says only "string" where the declaration names an enum.
type declarations map[string]string

var (
	interfaceRE = regexp.MustCompile(`^export interface (\w+)`)
	namespaceRE = regexp.MustCompile(`^export declare namespace (\w+) \{`)
	memberRE    = regexp.MustCompile(`^\s+(?:readonly )?"?([\w$.-]+)"?\??: (.+);$`)
	classRE     = regexp.MustCompile(`^export declare class (\w+)`)
)

func readDeclarations(dir string) (declarations, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.d.ts"))
	if err != nil {
		return nil, err
	}
	d := declarations{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		d.scan(string(data))
	}
	return d, nil
}

func (d declarations) scan(src string) {
	owner, comment := "", false
	for line := range strings.Lines(src) {
		line = strings.TrimRight(line, "\n")
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "/*") {
			comment = true
		}
		if comment {
			comment = !strings.Contains(text, "*/")
			continue
		}
		for _, re := range []*regexp.Regexp{interfaceRE, namespaceRE, classRE} {
			if m := re.FindStringSubmatch(line); m != nil {
				owner = m[1]
			}
		}
		if strings.HasPrefix(line, "}") {
			owner = ""
		}
		if owner == "" {
			continue
		}
		m := memberRE.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		typ := strings.TrimSpace(strings.NewReplacer("| undefined", "", "| null", "").Replace(m[2]))
		key := owner + "." + m[1]
		// In a union's namespace the other members are declared "never", and the
		// visitor repeats each as a function.
		if typ == "never" || strings.HasPrefix(typ, "(") || d[key] != "" {
			continue
		}
		d[key] = typ
	}
}

// element is the declared type of a list's elements, or of a map's key and value.
func element(typ string) (key, elem string) {
	typ = strings.TrimSpace(typ)
	if inner, ok := strings.CutSuffix(typ, "[]"); ok {
		if strings.HasPrefix(inner, "(") && strings.HasSuffix(inner, ")") {
			inner = inner[1 : len(inner)-1]
		}
		return "", strings.TrimSpace(inner)
	}
	if inner, ok := strings.CutPrefix(typ, "Partial<"); ok {
		typ = strings.TrimSuffix(inner, ">")
	}
	if inner, ok := strings.CutPrefix(typ, "Record<"); ok {
		key, elem, _ = strings.Cut(strings.TrimSuffix(inner, ">"), ",")
		return strings.TrimSpace(key), strings.TrimSpace(elem)
	}
	return "", ""
}
