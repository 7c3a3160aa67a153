//! Words in, words out.

use super::*;

fn command() -> Command {
    let switch = |name: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
    };
    Command::new("x")
        .arg(switch("on"))
        .arg(Arg::new("plain").long("plain").action(ArgAction::SetTrue))
        .arg(
            Arg::new("one")
                .long("one")
                .short('o')
                .action(ArgAction::Set),
        )
        .arg(Arg::new("many").long("many").action(ArgAction::Append))
        .arg(
            Arg::new("paths")
                .long("paths")
                .action(ArgAction::Append)
                .default_value("/livez"),
        )
}

fn read(positionals: Positionals, line: &str) -> String {
    let words = line.split(' ').map(OsString::from);
    let read = normalised(&command(), positionals, words);
    let texts: Vec<String> = read
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    texts.join(" ")
}

#[test]
fn flags_are_read_as_go_reads_them() {
    for (given, read_as) in [
        ("--one=1 --one=2", "--one=2"),
        ("--one 1 -o 2", "--one=2"),
        ("-o=3", "--one=3"),
        ("-o3", "--one=3"),
        ("--one -5s", "--one=-5s"),
        ("--one=", ""),
        ("--one=1 --one=", ""),
        ("--many=a --many=b", "--many=a --many=b"),
        ("--many=a --many= --many=b", "--many=b"),
        ("--paths=", "--paths="),
        ("--on", "--on=true"),
        ("--on=T", "--on=true"),
        ("--on=0 --on=1", "--on=true"),
        ("--on=False", "--on=false"),
        ("--on=maybe", "--on=maybe"),
        ("--plain=t", "--plain"),
        ("--plain --plain=f", ""),
        ("--unknown=1 --one=2", "--unknown=1 --one=2"),
        ("stray --one=1 other", "--one=1"),
        ("--one=1 -- --one=2", "--one=1"),
        ("--one", "--one"),
        ("--help", "--help"),
    ] {
        assert_eq!(read(Positionals::Ignored, given), read_as, "{given}");
    }
}

#[test]
fn other_words_are_kept_where_they_mean_something() {
    let line = "stray --one=1 -- --one=2";
    assert_eq!(read(Positionals::Kept, line), line);
}
