package herokuschema

import (
	"fmt"
	"slices"
	"strings"
)

// missing lists the properties that a part of the schema knows and a value lacks.
func (s *Schema) missing(node map[string]any, value any, where string) []string {
	for {
		ref, is := node["$ref"].(string)
		if !is {
			break
		}
		node = s.at(ref)
	}
	if choices, is := node["anyOf"].([]any); is {
		if lacks := s.missingOfAny(choices, value, where); len(lacks) > 0 {
			return lacks
		}
	}
	switch value := value.(type) {
	case map[string]any:
		return s.missingOf(node, value, where)
	case []any:
		items, _ := node["items"].(map[string]any)
		for i, one := range value {
			if lacks := s.missing(items, one, fmt.Sprintf("%s/%d", where, i)); len(lacks) > 0 {
				return lacks // those of the others are the same
			}
		}
	}
	return nil
}

func (s *Schema) missingOf(node, value map[string]any, where string) []string {
	properties, _ := node["properties"].(map[string]any)
	var lacks []string
	for name, property := range properties {
		below, there := value[name]
		if !there {
			lacks = append(lacks, where+"/"+name)
			continue
		}
		node, _ := property.(map[string]any)
		lacks = append(lacks, s.missing(node, below, where+"/"+name)...)
	}
	slices.Sort(lacks)
	return lacks
}

// missingOfAny is nothing if one of the choices is complete.
func (s *Schema) missingOfAny(choices []any, value any, where string) (fewest []string) {
	for i, choice := range choices {
		node, _ := choice.(map[string]any)
		lacks := s.missing(node, value, where)
		if i == 0 || len(lacks) < len(fewest) {
			fewest = lacks
		}
	}
	return fewest
}

// incomplete says in an error what is missing.
func incomplete(lacks []string) error {
	if len(lacks) == 0 {
		return nil
	}
	return fmt.Errorf("the schema knows properties that are not there: %s", strings.Join(lacks, " "))
}
