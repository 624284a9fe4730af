package function

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// mergedLayers returns the folder with all of a spec's layers in one, empty when it has none. A later layer's files
// come over an earlier one's.
func (m *Manager) mergedLayers(spec *Spec) (string, error) {
	switch len(spec.Layers) {
	case 0:
		return "", nil
	case 1:
		return spec.Layers[0], nil
	}
	p := m.poolOf(spec)
	p.layersOnce.Do(func() {
		p.layers, p.layersErr = mergeLayers(m.layersDir(), spec.Layers)
	})
	return p.layers, p.layersErr
}

func (m *Manager) layersDir() string { return filepath.Join(m.tempDir, "layers") }

func mergeLayers(below string, layers []string) (string, error) {
	if err := os.MkdirAll(below, 0o755); err != nil {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	dir, err := os.MkdirTemp(below, "")
	if err != nil {
		return "", fmt.Errorf("merge layers: %w", err)
	}
	for _, layer := range layers {
		if err := overlay(dir, layer); err != nil {
			_ = os.RemoveAll(dir)
			return "", fmt.Errorf("merge layers: %w", err)
		}
	}
	return dir, os.Chmod(dir, 0o755)
}

// overlay puts a tree over what is in dir, sharing the files' blocks where the file system can.
func overlay(dir, layer string) error {
	return filepath.WalkDir(layer, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(layer, path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if entry.IsDir() {
			if info, err := os.Lstat(to); err == nil && !info.IsDir() {
				_ = os.Remove(to)
			}
			return os.MkdirAll(to, 0o755)
		}
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		if os.Link(path, to) == nil {
			return nil
		}
		return copyFile(path, to)
	})
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// dropLayers removes what mergedLayers made for a pool that is no more.
func (m *Manager) dropLayers(p *pool) {
	p.layersOnce.Do(func() {})
	if p.layers == "" {
		return
	}
	if err := os.RemoveAll(p.layers); err != nil {
		m.options.Logger.Warn("merged layers left behind", slog.Any("error", err))
	}
}
