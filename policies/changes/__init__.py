"""What an amendment of the law files changes, said in words: in the rules, and in the answers."""
