package seshat

import "fmt"

func enumName(names []string, i int, field string) string {
	if name := enumNameAt(names, i); name != "" {
		return name
	}
	return fmt.Sprintf("%s(%d)", field, i)
}

// enumNameAt returns the name of number i, "" if there is none.
func enumNameAt(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return ""
	}
	return names[i]
}

func parseEnum(names []string, name, field string) (int, error) {
	for i, n := range names {
		if i > 0 && n == name {
			return i, nil
		}
	}
	return 0, invalid(field, "is none of %q", names[1:])
}
