package load

// The tables have twenty quantiles of 200 recorded conversations between an
// airline's agent and its customers (tau-bench, gpt-4o): 26.5 messages each,
// with a median of 213 bytes; a quarter of them are tool answers.

// lengths are the numbers of messages of a conversation.
var lengths = []int{10, 12, 12, 14, 16, 16, 18, 20, 22, 24, 26, 26, 30, 32, 34, 36, 38, 40, 48, 62}

// systemSize is the length of the system prompt, in bytes, which is each
// conversation's first message.
const systemSize = 6155

// roles have the frequencies of the conversations.
var roles = []string{
	"user", "user", "user", "user", "user", "user",
	"assistant", "assistant", "assistant", "assistant", "assistant", "assistant", "assistant", "assistant", "assistant",
	"tool", "tool", "tool", "tool", "tool",
}

// contentSizes are lengths in bytes, by role.
var contentSizes = map[string][]int{
	"user":      {26, 39, 47, 54, 60, 66, 71, 76, 83, 89, 95, 102, 110, 118, 126, 135, 144, 156, 174, 220},
	"assistant": {115, 140, 153, 155, 158, 158, 158, 167, 192, 193, 213, 241, 266, 301, 344, 367, 416, 461, 574, 737},
	"tool":      {0, 0, 5, 6, 19, 71, 529, 624, 630, 632, 680, 696, 710, 750, 776, 837, 881, 943, 1044, 2033},
}
