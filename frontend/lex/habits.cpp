// Habits from other languages: a hint below a syntax error whose place shows one of them. A row is what stands where the error is, or the word
// before it. Only hints: what is accepted and how an error is worded does not depend on them.
#include "frontend/lex/lexer.h"

namespace btc::parse {

namespace {

enum class Where { Here, WordBefore };

struct Habit {
  Where where;
  std::string_view text;
  std::string_view hint;
};

constexpr Habit kHabits[] = {
    {Where::Here, "'", "strings are written in double quotes, and a character is a string of one"},
    {Where::Here, "=", "`==` compares"},
    {Where::Here, "and", "this operator is written `&&`"},
    {Where::Here, "or", "this operator is written `||`"},
    {Where::WordBefore, "not", "this operator is written `!`"},
};

}  // namespace

std::string_view Lexer::habit_at(size_t pos) const {
  size_t before = pos;
  while (before > 0 && is_space(text_[before - 1])) before--;
  size_t word = before;
  while (word > 0 && is_word_char(text_[word - 1])) word--;
  for (const Habit& habit : kHabits) {
    if (habit.where == Where::WordBefore) {
      if (text(word, before) == habit.text) return habit.hint;
      continue;
    }
    std::string_view rest = text_.substr(pos);
    bool is_word = is_word_start(habit.text[0]);
    if (is_word ? text(pos, scan_word(pos)) == habit.text : rest.starts_with(habit.text) && !rest.starts_with("==")) return habit.hint;
  }
  return {};
}

}  // namespace btc::parse
