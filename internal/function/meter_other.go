//go:build !linux

package function

import "net"

// meter measures nothing where there is no /proc.
type meter struct{}

func newMeter(int, bool) *meter { return &meter{} }

func (*meter) max() int       { return 0 }
func (*meter) private() int64 { return 0 }
func (*meter) close()         {}

// owns can't be told here.
func (*meter) owns(net.Conn) bool { return true }
