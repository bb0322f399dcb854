"""What asks nothing of memory: greetings and thanks, and small talk, in two halves of other wordings."""

GREETINGS_TUNE = """Hi!
Hey there!
Good afternoon!
Morning!
Thanks so much!
Thank you, you are a star.
Cheers, that's all.
Many thanks for your help today.
Bye for now!
See you later!
Good to see you again.
Perfect, thanks.
OK thanks, talk to you tomorrow.
Hello again, how are you doing?
Great, thank you!
Wonderful, thanks a million.
Alright, goodbye then.
I appreciate it.
That was kind of you.
Hey, long time no see!
Thanks, I will try that.
Ta, have a good one.
Greetings!
That's all I needed, thank you.
Sleep tight!""".splitlines()
GREETINGS_TEST = """Hello there!
Hey!
Good day to you.
Evening!
Thank you so much for everything.
Thanks a bunch, you saved me.
That helps a lot, thank you.
Much obliged.
Take care, until next time.
Catch you later.
Nice to talk to you again.
Brilliant, thank you very much indeed.
OK, I'm off. Bye!
Hi, how have you been?
Lovely, thanks!
Super, that's what I wanted. Thanks.
Farewell, my friend.
I'm very grateful.
You've been very helpful.
Howdy!
Thank you, I'll keep that in mind.
Thanks for listening.
A very good morning to you!
Okay, thank you, that will be all.
Good night!
Hello, it's me again.
Thanks again!
Have a great weekend!
Welcome back!
See you on the other side.""".splitlines()

SMALL_TALK_TUNE = """How do you feel today?
I'm so bored right now.
Do you ever sleep?
What should we talk about?
Tell me something funny.
You're pretty clever, aren't you?
I could do with a coffee.
What a day!
Do you like being an assistant?
Are you a real person?
Let's just chat for a bit.
Haha, very good.
I don't know what to say.
Whatever you think is best.
Mondays, am I right?
Can you believe it is already this late?
Sing me a song.
I think I will take a nap.
Do you have hobbies?
Never mind.
Let me think about it for a moment.
You made me laugh.
Could you say that more simply?
Please go on.
I agree with you.
Do you get tired of my questions?
What is your favourite movie?
Surprise me!
That is a relief.
Hm, I'm not sure about that.
Say something nice to me.
Can we change the subject?
Wow, really?
It's Friday at last!
Give me a moment, please.
Tell me a riddle.
What is the meaning of life?
I feel a bit under the weather.
You know what I mean?
I love talking to you.""".splitlines()
SMALL_TALK_TEST = """Do you dream?
I'm in such a good mood.
Do you have feelings?
Entertain me a little.
What's new with you?
You are smarter than I thought.
I need a break.
What a mess!
Do you enjoy your work?
Are you a robot?
I just wanted to hear from you.
Ha, nice one.
I'm lost for words.
It's up to you.
Is it the weekend yet?
Time flies, doesn't it?
Recite a limerick for me.
I might go to bed early.
What do you do for fun?
Forget it.
Hold on a second.
That cheered me up.
Can you put it in simpler terms?
Carry on.
You're absolutely right.
Am I annoying you?
What is your favourite food?
Make my day!
Phew, that was close.
I doubt it.
Pay me a compliment.
Let's talk about something else.
Seriously?
Fingers crossed!
Just a minute, please.
Know any good jokes?
Why are we here?
I'm feeling a little down.
Do you get me?
It's nice to have company.
Can you repeat that?
I have nothing to do.
Who made you?
Life is strange sometimes.
Guess what!
What would you do if you were me?
No idea, honestly.
Do you believe in luck?
I was only joking.
Shall we continue?""".splitlines()
