package yaml

import "reflect"

// Decode reads a node into what v points to: structs, whose fields have their
// keys in a tag `yaml:"key"`, pointers to them, slices, strings, which take any
// scalar as it is written, bool and float64. A field that is an `any` lets its key be there, and is left
// alone. Null is the zero value. A key that no field has is an error, and all errors are *Error.
func (n *Node) Decode(v any) error {
	if err := decode(n, reflect.ValueOf(v).Elem()); err != nil {
		return err
	}
	return nil
}

func decode(n *Node, v reflect.Value) *Error {
	if n.Kind == Null {
		v.SetZero()
		return nil
	}
	switch v.Kind() {
	case reflect.Interface:
		return nil
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decode(n, v.Elem())
	case reflect.Struct:
		return decodeMap(n, v)
	case reflect.Slice:
		return decodeList(n, v)
	}
	return decodeScalar(n, v)
}

func decodeMap(n *Node, v reflect.Value) *Error {
	if n.Kind != Map {
		return n.Failf("want keys with values")
	}
	for _, m := range n.Members {
		field := fieldOf(v, m.Key.Text)
		if !field.IsValid() {
			return m.Key.Failf("unknown field %.64q", m.Key.Text)
		}
		if err := decode(m.Value, field); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf is the field of a struct, or of one embedded in it, that has a key; the zero Value: none has.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("yaml") == key {
			return v.Field(i)
		}
		if field.Anonymous {
			if inner := fieldOf(v.Field(i), key); inner.IsValid() {
				return inner
			}
		}
	}
	return reflect.Value{}
}

func decodeList(n *Node, v reflect.Value) *Error {
	if n.Kind != List {
		return n.Failf("want a list")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		if err := decode(item, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func decodeScalar(n *Node, v reflect.Value) *Error {
	switch value := n.Value().(type) {
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(value)
			return nil
		}
	case int64:
		if v.Kind() == reflect.Float64 {
			v.SetFloat(float64(value))
			return nil
		}
	case float64:
		if v.Kind() == reflect.Float64 {
			v.SetFloat(value)
			return nil
		}
	}
	switch v.Kind() {
	case reflect.String:
		if n.Kind != List && n.Kind != Map {
			v.SetString(n.Text)
			return nil
		}
		return n.Failf("want text")
	case reflect.Bool:
		return n.Failf("want true or false")
	case reflect.Float64:
		return n.Failf("want a number")
	}
	return n.Failf("cannot be read into %v", v.Type())
}
