package main

import (
	"go/ast"
	"strings"
	"unicode"
)

// checkDocs finds exported names without a comment in packages that can be
// imported. A method counts only if its type is exported too.
func (r *report) checkDocs(s *source) {
	if s.file.Name.Name == "main" {
		return
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && isExportedReceiver(d.Recv) {
				r.addUndocumented(s, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				r.checkSpec(s, d, spec)
			}
		}
	}
}

// isExportedReceiver is also true of a function, which has no receiver.
func isExportedReceiver(recv *ast.FieldList) bool {
	if recv == nil {
		return true
	}
	t := recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// checkSpec takes the comment of a group as one of each of its names.
func (r *report) checkSpec(s *source, d *ast.GenDecl, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		if d.Doc != nil || spec.Doc != nil || spec.Comment != nil {
			return
		}
		for _, name := range spec.Names {
			if name.IsExported() {
				r.addUndocumented(s, name)
			}
		}
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return
		}
		if d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
			r.addUndocumented(s, spec.Name)
		}
		about := d.Doc.Text() + spec.Doc.Text()
		switch t := spec.Type.(type) {
		case *ast.StructType:
			r.checkMembers(s, about, t.Fields)
		case *ast.InterfaceType:
			r.checkMembers(s, about, t.Methods)
		}
	}
}

// checkMembers checks the fields of a struct or the methods of an interface. A
// comment above the first of a run without blank lines is one of all of it. The
// comment of the type, which is about, is one of each member that it names, and
// of a member that is the only one.
func (r *report) checkMembers(s *source, about string, members *ast.FieldList) {
	if about != "" && members.NumFields() == 1 {
		return
	}
	named := map[string]bool{}
	for _, word := range strings.FieldsFunc(about, isNoNameRune) {
		named[word] = true
	}
	covered := false
	last := 0
	for _, m := range members.List {
		first := m.Pos()
		if m.Doc != nil {
			first = m.Doc.Pos()
		}
		if s.set.Position(first).Line > last+1 {
			covered = false
		}
		last = s.set.Position(m.End()).Line
		covered = covered || m.Doc != nil
		if covered || m.Comment != nil {
			continue
		}
		for _, name := range m.Names {
			if name.IsExported() && !named[name.Name] {
				r.addUndocumented(s, name)
			}
		}
	}
}

func isNoNameRune(c rune) bool {
	return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_'
}

func (r *report) addUndocumented(s *source, name *ast.Ident) {
	r.add(undocumented, s.place(name.Pos()), "%s is exported and has no comment", name.Name)
}
