package control

import "github.com/telepath-iot/telepath/peer/rpc"

// CheckAxis says what is wrong with an axis, for who describes one; nil if nothing is.
func CheckAxis(x rpc.Axis) error { return checkAxis(x) }

// CheckMethod says what is wrong with a method, for who describes one; nil if nothing is. What is wrong with a schema is a
// *schema.Error within.
func CheckMethod(m rpc.Method) error {
	_, err := newMethod(m, nil)
	return err
}
