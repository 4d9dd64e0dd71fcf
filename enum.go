package seshat

import (
	"fmt"
	"strings"
)

// enumName returns the name of number i. If there is none, it returns field and
// the number.
func enumName(names []string, i int, field string) string {
	if name := enumNameAt(names, i); name != "" {
		return name
	}
	return fmt.Sprintf("%s(%d)", field, i)
}

// enumNameAt returns the name of number i, or "" if there is none.
func enumNameAt(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return ""
	}
	return names[i]
}

// parseEnum returns the number of a name, which errors call field.
func parseEnum(names []string, name, field string) (int, error) {
	for i, n := range names {
		if i > 0 && n == name {
			return i, nil
		}
	}
	return 0, refuseEnum(field, names).err()
}

// refuseEnum returns an error that lists the allowed names.
func refuseEnum(field string, names []string) *fieldError {
	return refuse(field, "is unknown; %s are allowed", strings.Join(names[1:], ", "))
}
