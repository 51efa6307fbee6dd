package decode

import (
	"strings"
	"testing"
)

func TestRequest(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       []string // without kind other, unless there is some
	}{
		{"all roles", `{"messages":[{"role":"system","content":"a"},{"role":"developer","content":"b"},` +
			`{"role":"user","content":"c"},{"role":"assistant","content":"d"},{"role":"tool","content":"e"},` +
			`{"role":"nightjar","content":"f"},{"content":"g"}]}`,
			[]string{"content 0 a", "content 1 b", "content 2 c", "content 3 d", "content 4 e", "content 5 f", "content 6 g"}},
		{"no string is left out", `{"model":"m","messages":[{"role":"user","content":"c","x":{"y":["z",{"w":"v"}]}}],"user":"u","stop":["s"],"n":1}`,
			[]string{"other model", "other m", "other user", "content 0 c", "other x", "other y", "other z", "other w", "other v",
				"other user", "other u", "other stop", "other s", "other n"}},
		{"one part", `{"messages":[{"content":[{"type":"text","text":"one"}]}]}`,
			[]string{"content 0 /one"}},
		{"parts are read twice", `{"messages":[{"content":[{"type":"text","text":"code"},{"text":"name","type":"text","cache":"c"}]}]}`,
			[]string{"other text", "content 0 /code", "content 0 /name", "other text", "other cache", "other c",
				"~content 0 code", "~content 0 name"}},
		{"parts that are strings", `{"messages":[{"content":["code","name"]}]}`,
			[]string{"content 0 /code", "content 0 /name", "~content 0 code", "~content 0 name"}},
		{"a refusal among parts is one text with them",
			`{"messages":[{"content":[{"type":"text","text":"code"},{"type":"refusal","refusal":"name"}]}]}`,
			[]string{"content 0 /code", "content 0 /name", "~content 0 code", "~content 0 name"}},
		{"content of another form", `{"messages":[{"content":{"text":"a"}},{"content":null},{"content":7},"c"]}`,
			[]string{"content 0 a", "other c"}},
		{"empty strings", `{"messages":[{"content":"","":""}],"":""}`, nil},
		{"name", `{"messages":[{"name":"nightjar","content":"c"}]}`, []string{"name 0 nightjar", "content 0 c"}},
		{"refusal and reasoning", `{"messages":[{"refusal":"a","reasoning":"b","reasoning_content":"c"}]}`,
			[]string{"refusal 0 a", "reasoning 0 b", "reasoning_content 0 c"}},
		{"tool definitions", `{"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"p":{"description":"q"}}}}},` +
			`{"type":"function","function":{"name":"g"}}]}`,
			[]string{"other function", "tool_name .0 f", "tool_description .0 d", "other parameters", "other type", "other object",
				"other properties", "other p", "other description", "other q", "other function", "tool_name .1 g"}},
		{"tool calls and results", `{"messages":[{"role":"assistant","tool_calls":[{"id":"i","type":"function","function":{"name":"f","arguments":"{\"q\":\"nightjar\"}"}},` +
			`{"index":9,"custom":{"name":"g","input":"h"}}]},{"role":"tool","tool_call_id":"i","content":"r"}]}`,
			[]string{"tool_name 0.0 f", `tool_arguments 0.0 {"q":"nightjar"}`, "custom_name 0.1 g", "custom_input 0.1 h", "content 1 r"}},
		{"an index of a request says nothing", `{"messages":[{"tool_calls":[{"index":null,"function":{"name":"f"}},{"index":"x","function":{"name":"g"}}]}]}`,
			[]string{"tool_name 0.0 f", "other x", "tool_name 0.1 g"}},
		{"function call", `{"messages":[{"function_call":{"name":"f","arguments":"{}"}}]}`,
			[]string{"tool_name 0 f", "tool_arguments 0 {}"}},
		{"prediction", `{"prediction":{"type":"content","content":"p"}}`, []string{"prediction p"}},
		{"prediction of parts", `{"prediction":{"type":"content","content":[{"type":"text","text":"p"},"q"]}}`,
			[]string{"prediction /p", "prediction /q", "~prediction p", "~prediction q"}},
		{"response format", `{"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"enum":["nightjar"]}}}}`,
			[]string{"other response_format", "other type", "other json_schema", "other json_schema", "other name", "other n",
				"other schema", "other enum", "other nightjar"}},
		{"escapes in text", `{"messages":[{"content":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00é😀"}]}`,
			[]string{"content 0 \"\\/\b\f\n\r\tAé€😀é😀"}},
		{"escapes in names", `{"m\u0065ssages":[{"c\u006fntent":[{"typ\u0065":"text","t\u0065xt":"c"}],"\u0078":"y"}]}`,
			[]string{"other text", "content 0 /c", "other x", "other y"}},
		{"not an object", `"nightjar"`, []string{"other nightjar"}},
		{"white space", " \t\r\n{ \"messages\" : [ { \"content\" : \"c\" } ] } \n", []string{"content 0 c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			evs := mustRead(t, chat(t).ReadRequest(DefaultLimits()), tc.body)
			if len(evs) != 1 || string(evs[0].Raw) != tc.body {
				t.Fatal("a body is one event of the same bytes")
			}
			wantLines(t, describeAll(evs), tc.want)
		})
	}
}

func TestRequestRefused(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	limits := Limits{Body: 1000, Event: 1000, Depth: 10, Places: 4}
	for _, tc := range []struct {
		name, body string
		fault      Fault
		offset     int // -1: any
	}{
		{"empty", ``, Malformed, 0},
		{"white space", "  ", Malformed, -1},
		{"byte order mark", "\xef\xbb\xbf{}", Malformed, 0},
		{"cut off", `{"messages":[{"content":"nightj`, Malformed, -1},
		{"cut off at an image", `{"messages":[{"audio":`, Malformed, -1},
		{"trailing bracket", `{}}`, Malformed, 2},
		{"second value", `{} {}`, Malformed, -1},
		{"trailing words", `{} nightjar`, Malformed, -1},
		{"trailing comma", `{"a":1,}`, Malformed, -1},
		{"comment", `{/**/}`, Malformed, -1},
		{"single quotes", `{'a':1}`, Malformed, -1},
		{"name that is no string", `{1:2}`, Malformed, -1},
		{"name that is an object", `{{}:2}`, Malformed, -1},
		{"not a number", `{"a":NaN}`, Malformed, -1},
		{"line break in a string", "{\"a\":\"\n\"}", Malformed, -1},
		{"control character", "{\"a\":\"\x01\"}", Malformed, -1},
		{"lone high surrogate", `{"a":"\ud83d"}`, Malformed, -1},
		{"lone low surrogate", `{"a":"\ude00"}`, Malformed, -1},
		{"swapped surrogates", `{"a":"\ude00\ud83d"}`, Malformed, -1},
		{"lone surrogate in a name", `{"\ud83d":1}`, Malformed, -1},
		{"duplicate", `{"a":1,"a":2}`, Duplicate, -1},
		{"duplicate with escapes", `{"content":1,"c\u006fntent":2}`, Duplicate, -1},
		{"duplicate deep down", `{"messages":[{"content":"a","content":"b"}]}`, Duplicate, -1},
		{"invalid UTF-8", "{\"a\":\"b\xff\"}", InvalidUTF8, 7},
		{"overlong UTF-8", "{\"a\":\"\xc0\xae\"}", InvalidUTF8, 6},
		{"surrogate in UTF-8", "{\"a\":\"\xed\xa0\xbd\"}", InvalidUTF8, 6},
		{"too deep", deep(12), TooDeep, -1},
		{"too large", `"` + strings.Repeat("x", 1000) + `"`, TooLarge, 1000},
		{"too many messages", `{"messages":[{},{},{},{},{}]}`, TooLarge, -1},
		{"too many tools", `{"tools":[{},{},{},{},{}]}`, TooLarge, -1},
		{"too many strings", `[` + strings.Repeat(`"a",`, 4*stringsPerPlace) + `"a"]`, TooLarge, -1},
		{"image", `{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:,"}}]}]}`, Unreadable, -1},
		{"audio part", `{"messages":[{"content":[{"type":"input_audio","input_audio":{"data":"aa"}}]}]}`, Unreadable, -1},
		{"file", `{"messages":[{"content":[{"type":"file","file":{"file_id":"f"}}]}]}`, Unreadable, -1},
		{"part without type", `{"messages":[{"content":[{"image_url":"data:,"}]}]}`, Unreadable, -1},
		{"part with a type of another form", `{"messages":[{"content":[{"type":["text"],"text":"a"}]}]}`, Unreadable, -1},
		{"audio", `{"messages":[{"audio":{"id":"a"}}]}`, Unreadable, -1},
		{"image without a list", `{"messages":[{"content":{"type":"image_url"}}]}`, Unreadable, -1},
		{"list in a list", `{"messages":[{"content":[["a"]]}]}`, Unreadable, -1},
		{"token ids", `{"prompt_token_ids":[1,2]}`, Unreadable, -1},
		{"template", `{"chat_template":"{{'night'+'jar'}}"}`, Unreadable, -1},
		{"spoken answer", `{"audio":{"voice":"v"}}`, Unreadable, -1},
		{"member in other letters", `{"messages":[{"content":"c","Content":"d"}]}`, Ambiguous, -1},
		{"member in other letters, escaped", `{"\u004dessages":[]}`, Ambiguous, -1},
		{"member of a part in other letters", `{"messages":[{"content":[{"Type":"image_url"}]}]}`, Ambiguous, -1},
		{"images", `{"messages":[{"images":["aa"]}]}`, Unreadable, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			evs, err := readAll(chat(t).ReadRequest(limits), []byte(tc.body))
			if len(evs) != 0 {
				t.Error("events beside an error")
			}
			wantFault(t, err, tc.fault, tc.offset)
		})
	}
}

func TestRequestWithinLimits(t *testing.T) {
	limits := Limits{Body: 64, Event: 64, Depth: 4, Places: 2}
	for _, body := range []string{
		`"` + strings.Repeat("x", 62) + `"`,
		`[[[[1]]]]`,
		`{"messages":[{},{}]}`,
		`[` + strings.Repeat(`"a",`, 2*stringsPerPlace-4) + `"a"]`,
		`{"messages":[{"audio":null,"images":null}]}`,
		`{"image_data":[],"input_ids":[null]}`, // a list of nothing
	} {
		mustRead(t, chat(t).ReadRequest(limits), body)
	}
}

func TestFeedCountsTheWholeBody(t *testing.T) {
	r := chat(t).ReadRequest(Limits{Body: 8, Event: 8, Depth: 4, Places: 4})
	_, err := readAll(r, []byte(`"12345`), []byte(`6789"`))
	wantFault(t, err, TooLarge, 8)
}

func TestLookup(t *testing.T) {
	for _, tc := range []struct {
		method, path string
		ok           bool
	}{
		{"POST", "/v1/chat/completions", true},
		{"GET", "/v1/chat/completions", false},
		{"post", "/v1/chat/completions", false},
		{"POST", "/v1/chat/completions/", false},
		{"POST", "//v1/chat/completions", false},
		{"POST", "/v1/Chat/completions", false},
		{"POST", "/v1/chat/completions?x=y", false},
		{"POST", "", false},
	} {
		if _, ok := Lookup(APIs(), tc.method, tc.path); ok != tc.ok {
			t.Errorf("%s %s: %v, want %v", tc.method, tc.path, ok, tc.ok)
		}
	}
}
